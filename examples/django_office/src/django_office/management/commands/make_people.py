"""``make_people``: the accounts of the example."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, Permission, User
from django.core.management.base import BaseCommand

from django_office.models import Clerk

#: Account -> name, unit and groups; the password is the account's name.
PEOPLE = {
    "wang": ("Wang", "yulin", ["contributor"]),
    "li": ("Li", "yulin", ["editor"]),
    "zhao": ("Zhao", "yulin", ["reviewer", "registrar"]),
    "gao": ("Gao", "yanan", ["editor"]),
}


class MakePeople(BaseCommand):
    """Makes accounts, groups and clerks, where they are not there yet."""

    help = "Make the accounts of the example: wang, li, zhao, gao and admin."

    def handle(self, *_: Any, **__: Any) -> None:
        """Make them."""
        looks = Permission.objects.get(codename="view_recordrow")
        for account, (name, unit, groups) in PEOPLE.items():
            user, is_new = User.objects.get_or_create(
                username=account, defaults={"first_name": name, "is_staff": True, "email": f"{account}@office.test"}
            )
            if is_new:
                user.set_password(account)
                user.save()
                user.user_permissions.add(looks)
                user.groups.set([Group.objects.get_or_create(name=group)[0] for group in groups])
                Clerk.objects.create(user=user, unit=unit)
        if not User.objects.filter(username="admin").exists():
            User.objects.create_superuser("admin", password="admin")


Command = MakePeople
