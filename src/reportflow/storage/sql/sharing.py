"""Commits that come at one moment share one COMMIT: group commit, for all callers of one store.

Theory of operation. What a commit costs is mostly the wait for the disk, and one wait can serve many. Who comes while
nobody is at work leads: it takes the write lock of the database, then all calls that wait by now, writes each in a
savepoint of its own, and ends with one COMMIT. Who comes meanwhile waits; when the commit has ended, the first of those
that wait leads the next one. So nobody waits for more than two commits, and there is no thread beside the callers'.

A call that is alone in its commit is written as it would be without a queue. Calls side by side that come to the same
statements are first tried in one savepoint; where one of them is refused, each has its own after all.

Each call is given its own result only after the COMMIT that holds it. Where the shared transaction as a whole fails, as
on a full disk, nothing of it was kept, and each call is tried alone.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby
from typing import Final, Literal, Never

from reportflow.errors import Conflict, ReportflowError, StorageBusy, StorageUnavailable
from reportflow.storage.base import Change, SharedCommit
from reportflow.storage.refusing import check_changes
from reportflow.storage.sql.dialects import BUSY_TIMEOUT, is_rolled_back, said, translate
from reportflow.storage.sql.executor import Executor, OpenExecutor, PreparedStatement
from reportflow.storage.sql.statements import StatementCache
from reportflow.storage.sql.writing import SqlWriting, Write

_BEGIN: Final = "SAVEPOINT reportflow_act"
_KEEP: Final = "RELEASE SAVEPOINT reportflow_act"
_TAKE_BACK: Final = "ROLLBACK TO SAVEPOINT reportflow_act"


class Turn(ABC):
    """One call of `commit`: what it writes, and what became of it.

    Attributes:
        changes: What it was given.
        writes: The statements of it.
        error: Why it was refused, once it is done.
        done: Whether it is known what became of it.
        alone: Whether it is to have a COMMIT of its own, since one that it shared has failed.
        left: Whether its caller has gone: it is not tried again.
        since: When it came, by the monotonic clock.
    """

    __slots__ = ("alone", "changes", "done", "error", "left", "since", "writes")

    def __init__(self, changes: Sequence[Change], writes: Sequence[Write]) -> None:
        self.changes: Sequence[Change] = changes
        self.writes: Sequence[Write] = writes
        self.error: Exception | None = None
        self.done: bool = False
        self.alone: bool = False
        self.left: bool = False
        self.since: float = time.monotonic()

    @abstractmethod
    def wake(self) -> None:
        """Have its caller look again: it is done, or leads."""

    def is_stranded(self) -> bool:
        """Whether its caller will never run again."""
        return False

    def raise_error(self) -> None:
        """Raise why it was refused, if it was."""
        if self.error is not None:
            raise self.error


class ThreadTurn(Turn):
    """The call of a thread."""

    __slots__ = ("_asleep",)

    def __init__(self, changes: Sequence[Change], writes: Sequence[Write]) -> None:
        super().__init__(changes, writes)
        self._asleep = threading.Lock()
        self._asleep.acquire()

    def wake(self) -> None:
        """See `Turn.wake`."""
        if self._asleep.locked():
            self._asleep.release()

    def wait(self, queue: CommitQueue) -> bool:
        """Wait until it is done, or is to lead: whether it is to.

        Raises:
            StorageBusy: it was not taken into a commit for as long as a writer waits for the database.
        """
        while not self._asleep.acquire(timeout=BUSY_TIMEOUT):
            if queue.is_due(self):
                break
        return not self.done


class CommitQueue:
    """The calls that wait for a commit of one store, in the order in which they came, and which of them leads.

    Args:
        url: The URL of the store, for errors.

    Attributes:
        taken: The calls of the commit that is under way.
        stage: How far it is: "open" until its COMMIT is sent, and where it is known that nothing was kept.
        problem: Why it is unknown whether the COMMIT was kept.
    """

    def __init__(self, url: str) -> None:
        self._observers: dict[object, Callable[[SharedCommit], object]] = {}
        self._url = url
        self.reset()
        _QUEUES.add(self)

    def reset(self) -> None:
        """Begin without anybody, as in a forked child: the threads that waited are the parent's."""
        self._lock = threading.Lock()
        self._waiting: list[Turn] = []
        self._leader: Turn | None = None
        self.taken: list[Turn] = []
        self.stage: Literal["open", "commit", "kept"] = "open"
        self.problem: str = ""

    def observe(self, observe: Callable[[SharedCommit], object]) -> Callable[[], None]:
        """See `SupportsSharedCommits.observe_commits`."""
        key = object()
        self._observers[key] = observe
        return partial(_forget, weakref.ref(self), key)

    def join(self, turn: Turn) -> bool:
        """Wait with the others: whether it leads at once, since nobody is at work."""
        with self._lock:
            if self._leader is not None and self._leader.is_stranded():
                self.taken = []
                self._pass_on()
            self._waiting.append(turn)
            if self._leader is None:
                self._leader = turn
            return turn is self._leader

    def take(self) -> list[Turn]:
        """The calls of the next commit, the leader's first: all that wait, or one that is to be alone."""
        with self._lock:
            alone = next((place for place, turn in enumerate(self._waiting) if turn.alone), len(self._waiting))
            self.stage, self.problem = "open", "interrupted"
            # at once, for a KeyboardInterrupt: each call is either here or there
            self.taken, self._waiting = self._waiting[: alone or 1], self._waiting[alone or 1 :]
            return self.taken

    def settle(self) -> None:
        """Have the next one lead, and wake those that are done; the others wait again, before all who came later."""
        taken, kept = self.taken, self.stage == "kept"
        with self._lock:
            self._put_back()
            self._pass_on()
        for turn in taken:
            if turn.done:
                turn.wake()
        if self._observers and len(taken) > 1 and kept:
            self._report(taken)

    def withdraw(self, turn: Turn) -> bool:
        """Wait no longer: whether nothing was done yet for this call, and now never is."""
        with self._lock:
            if turn is self._leader or turn not in self._waiting:
                return False
            self._waiting.remove(turn)
            return True

    def is_due(self, turn: Turn) -> bool:
        """Whether a call that has waited for too long is done or leads, and was not woken; else it is withdrawn.

        Raises:
            StorageBusy: it was withdrawn. One that is being written is not.
        """
        if self.withdraw(turn):
            raise StorageBusy(self._url, "database is locked", "retry")
        return turn.done or turn is self._leader

    def leave(self, turn: Turn) -> None:
        """The caller goes, whatever became of its call: nobody may wait for it any more."""
        if turn.done and turn is not self._leader:
            return
        with self._lock:
            turn.left = True
            if turn in self._waiting:
                self._waiting.remove(turn)
            if turn is self._leader:
                self._put_back()  # nothing, unless it was interrupted
                self._pass_on()

    def _put_back(self) -> None:
        """End the commit that was under way: say what is known, and have each call that is not done tried alone."""
        for turn in self.taken:
            if self.stage == "commit" and not turn.done:
                turn.error = StorageUnavailable(self._url, self.problem, "unknown")
            turn.done = turn.done or self.stage != "open"
            if not turn.done:
                turn.error, turn.alone = None, True
        again = [turn for turn in self.taken if not turn.done and not turn.left]
        self._waiting, self.taken = [*again, *self._waiting], []

    def _pass_on(self) -> None:
        while self._waiting and self._waiting[0].is_stranded():
            del self._waiting[0]
        self._leader = next(iter(self._waiting), None)
        if self._leader is not None:
            self._leader.wake()

    def _report(self, taken: Sequence[Turn]) -> None:
        waited = time.monotonic() - min(turn.since for turn in taken)
        conflicts = sum(isinstance(turn.error, Conflict) for turn in taken)
        called: list[object] = []
        for observe in list(self._observers.values()):
            if observe in called:  # of two flows with one hook
                continue
            called.append(observe)
            try:
                observe(SharedCommit(len(taken), conflicts, waited))
            except Exception:  # the acts of others are committed: nobody's call may fail for it
                import logging  # a program without trouble need not pay for it

                logging.getLogger("reportflow.storage").exception("An observer of shared commits has raised.")


def _forget(queue: weakref.ref[CommitQueue], key: object) -> None:
    """End what `CommitQueue.observe` began; the one who may end it need not keep the store alive."""
    found = queue()
    if found is not None:
        found._observers.pop(key, None)


def nothing() -> None:
    """End what never began."""


class SharedWriting(SqlWriting):
    """`SqlWriting` whose calls share commits, where it has a queue."""

    def __init__(self, statements: StatementCache, checkout: OpenExecutor) -> None:
        super().__init__(statements, checkout)
        self._queue: CommitQueue | None = None

    def observe_commits(self, observe: Callable[[SharedCommit], object]) -> Callable[[], None]:
        """See `SupportsSharedCommits.observe_commits`; a store that shares none never calls it."""
        return nothing if self._queue is None else self._queue.observe(observe)

    def commit(self, changes: Sequence[Change]) -> None:
        """See `Store.commit`."""
        queue = self._queue
        if queue is None:
            super().commit(changes)
            return
        check_changes(changes)
        if not changes:
            return
        turn = ThreadTurn(changes, self._plan(changes))
        try:
            leads = queue.join(turn) or turn.wait(queue)
            while leads and not turn.done:
                self.commit_all(queue)
        finally:
            queue.leave(turn)
        turn.raise_error()

    def commit_all(self, queue: CommitQueue) -> None:
        """Take the calls that wait, and keep what they write by one COMMIT: the work of the one that leads.

        Raises:
            ReportflowError: the write lock was not to be had; or the leader was alone, and is refused; or it is unknown
                whether the COMMIT was kept.
        """
        try:
            with self._checkout() as executor:
                try:
                    with self._transaction(executor):
                        # only now: who came while the lock was waited for is in
                        self._write_all(executor, queue.take())
                        queue.stage = "commit"
                    queue.stage = "kept"
                except BaseException as error:
                    self._fail_all(executor, queue, error)
        finally:
            queue.settle()

    def _write_all(self, executor: Executor, taken: Sequence[Turn]) -> None:
        if len(taken) == 1:
            self._run(executor, taken[0].writes)
            return
        for _, alike in groupby(taken, key=_statements):
            some = list(alike)
            if len(some) == 1 or not self._write_together(executor, some):
                for turn in some:
                    self._write_one(executor, turn)

    def _write_together(self, executor: Executor, alike: Sequence[Turn]) -> bool:
        """Write calls of the same statements, each statement for all of them: whether none of them is refused.

        Most acts are alike, and what a statement costs is for the most part to be sent.
        """
        merged = [
            Write(same[0].statement, [row for write in same for row in write.rows], same[0].compares)
            for same in zip(*[turn.writes for turn in alike], strict=True)
        ]
        executor.execute(_BEGIN)
        try:
            self._run(executor, merged)
        except Exception:
            executor.execute(_TAKE_BACK)
            kept = False
        else:
            kept = True
        executor.execute(_KEEP)  # fails where the database has rolled back all of it, as on a full disk
        return kept

    def _write_one(self, executor: Executor, turn: Turn) -> None:
        executor.execute(_BEGIN)
        try:
            self._write(executor, turn.changes, turn.writes, self._in_savepoint)
        except Exception as error:
            engine = self._statements.engine
            turn.error = error if isinstance(error, ReportflowError) else translate(engine, error) or error
            if turn.error is not error:
                turn.error.__cause__ = error
        executor.execute(_KEEP)

    def _in_savepoint(self, executor: Executor, _: Sequence[Change], writes: Sequence[Write]) -> None:
        try:
            self._run(executor, writes)
        except Exception:
            executor.execute(_TAKE_BACK)
            raise

    def _fail_all(self, executor: Executor, queue: CommitQueue, error: BaseException) -> None:
        """Find out whether anything was kept of calls whose transaction has failed; where not, each is tried alone.

        Raises:
            BaseException: the error, for the one that leads.
        """
        taken, statements = queue.taken, self._statements
        if len(taken) == 1 and isinstance(error, Exception):
            [turn] = taken
            self._write(executor, turn.changes, turn.writes, partial(_raise, error))
        if queue.stage == "commit":
            if is_rolled_back(statements.backend, error):
                queue.stage = "open"
            else:
                queue.problem = said(statements.engine, error) or type(error).__name__
        if len(taken) < 2 or queue.stage != "open" or not isinstance(error, Exception):
            raise error
        if executor.is_lost(error):
            executor.invalidate()


def _statements(turn: Turn) -> list[PreparedStatement]:
    return [write.statement for write in turn.writes]


def _raise(error: Exception, *_: object) -> Never:
    raise error


#: The queues of this process, for a fork.
_QUEUES: Final[weakref.WeakSet[CommitQueue]] = weakref.WeakSet()


def _after_fork() -> None:
    for queue in _QUEUES:
        queue.reset()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
