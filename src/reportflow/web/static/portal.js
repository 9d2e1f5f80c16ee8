/* The portal's own script. Every page works without it: it keeps what was typed, and sends a form once. */
(() => {
  "use strict";
  const PREFIX = "reportflow:";
  const find = (selector, root = document) => [...root.querySelectorAll(selector)];
  // The time of day in the office's zone, whatever the browser's is.
  const clock = (form) => new Date(Date.now() + form.dataset.offset * 60000).toISOString().slice(11, 16);
  // Storage may be full, forbidden or gone: then nothing is kept here, and the page says so.
  const stored = (action) => { try { return action(); } catch { return undefined; } };
  const drop = (key) => stored(() => localStorage.removeItem(key));
  const keysOf = (start) => stored(() => Object.keys(localStorage).filter((key) => key.startsWith(PREFIX + start))) || [];

  // A tab has a name of its own, so that two tabs do not overwrite each other. It is kept between two pages only, so
  // that a copy of the tab does not find it.
  const TAB = PREFIX + "tab";
  const tab = stored(() => sessionStorage.getItem(TAB)) || Date.now().toString(36) + Math.random().toString(36).slice(2, 8);
  addEventListener("pageshow", () => stored(() => sessionStorage.removeItem(TAB)));
  addEventListener("pagehide", () => stored(() => sessionStorage.setItem(TAB, tab)));

  // -- a form is sent once
  // A second click is not sent; the button keeps its name and value, so it is not disabled.
  addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent) { event.preventDefault(); return; }
    if (form.dataset.forget) keysOf(form.dataset.forget).forEach(drop);
    if (form.getAttribute("method") === "post") {
      form.dataset.sent = "yes";
      find("button", form).forEach((button) => button.setAttribute("aria-disabled", "true"));
    }
  });
  // Back shows the page as it was left: the form may be sent again.
  addEventListener("pageshow", () => {
    find("form[data-sent]").forEach((form) => {
      delete form.dataset.sent;
      find("button", form).forEach((button) => button.removeAttribute("aria-disabled"));
    });
  });
  addEventListener("keydown", (event) => {
    const form = event.target.form;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && form && form.dataset.draft) {
      event.preventDefault();
      form.requestSubmit(form.querySelector("button.primary"));
    }
  });

  // -- drafts
  const OWN = /^_(token|key|tab|from|next|draft|head|version)$/;
  const typedIn = (form) => {
    const fields = {};
    for (const [name, value] of new FormData(form)) {
      if (value.trim && !OWN.test(name)) (fields[name] ||= []).push(value);
    }
    return fields;
  };
  const putBack = (form, fields) => {
    for (const one of form.elements) {
      if (!one.name || /^(file|submit)$/.test(one.type) || OWN.test(one.name)) continue;
      const values = fields[one.name] || [];
      if (/^(checkbox|radio)$/.test(one.type)) one.checked = values.includes(one.value);
      else if (values.length) one.value = values[0];
    }
    find("textarea", form).forEach(count);
  };
  // A form with groups that this page does not have is opened from the server, which has them.
  const fits = (form, fields) => Object.keys(fields).every((name) => form.elements[name] || /\/(id|was|kept|pick|other)$/.test(name));

  const drafting = (form) => {
    const data = form.dataset, own = form.elements;
    const here = `${PREFIX}${data.keep}/${tab}`;
    const status = form.querySelector("[data-status]");
    const say = (text, failed = false) => { status.textContent = text; status.classList.toggle("failed", failed); };
    let unsaved, busy, again, timer, sooner;
    own._tab.value = tab;
    form.autocomplete = "off"; // else Back puts an old text on a new version

    const inBrowser = () => {
      const secrecy = own.secrecy, chosen = secrecy && (secrecy.value || "");
      return data.browser && (!chosen || data.secrecies.split(" ").includes(chosen));
    };
    const keepHere = () => {
      if (!inBrowser()) { drop(here); return; }
      const kept = { at: clock(form), head: own._head.value, version: own._version.value, draft: own._draft.value, fields: typedIn(form) };
      stored(() => localStorage.setItem(here, JSON.stringify(kept)));
    };
    // One save at a time: what is typed meanwhile is saved after it.
    const keepThere = async (leaving) => {
      timer = 0;
      if (busy && !leaving) { again = true; return; }
      busy = true;
      const body = new URLSearchParams();
      for (const [name, value] of new FormData(form)) if (value.trim) body.append(name, value);
      const keepalive = leaving && `${body}`.length < 6e4; // browsers refuse more
      try {
        const answer = await fetch(data.draft, { method: "POST", body, headers: { Accept: "application/json" }, keepalive });
        if (!answer.ok || answer.redirected) throw new Error(answer.status);
        const { at } = await answer.json();
        unsaved = again;
        say(data.kept.replace("{at}", at));
      } catch {
        unsaved = true;
        say(data.failed, true);
      }
      busy = false;
      if (again) { again = false; keepThere(false); }
    };
    const still = () => { clearTimeout(sooner); clearTimeout(timer); };
    const typed = () => { still(); sooner = setTimeout(keepHere, 400); timer = setTimeout(keepThere, 2500, false); };
    form.addEventListener("input", typed);
    form.addEventListener("submit", () => { still(); keepHere(); timer = 0; unsaved = false; });
    // Who leaves does not wait so long.
    const leave = () => { if (timer) { still(); keepHere(); keepThere(true); } };
    addEventListener("pagehide", leave); addEventListener("visibilitychange", leave);
    // Only what could not be saved holds up who leaves.
    addEventListener("beforeunload", (event) => { if (unsaved) event.preventDefault(); });

    if (!data.fresh) return;
    const offers = form.querySelector("[data-offers]");
    const restore = (kept, draft) => {
      putBack(form, kept.fields);
      own._draft.value = draft || ""; // that of another tab ends with this form
      if (kept.head !== data.head) { own._head.value = kept.head; own._version.value = kept.version; }
      say(data.restored.replace("{at}", kept.at));
    };
    for (const key of keysOf(data.keep + "/")) {
      const kept = stored(() => JSON.parse(localStorage.getItem(key)));
      if (!data.browser) drop(key); // it has become secret since
      if (!kept || !kept.fields || !fits(form, kept.fields)) continue;
      const older = kept.head !== data.head;
      if (key === here && !older) { restore(kept, kept.draft); continue; }
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = (older ? data.offerOlder : data.offer).replace("{at}", kept.at);
      button.onclick = () => {
        restore(kept, key.split("/").pop()); typed(); button.remove();
        if (key !== here) drop(key);
      };
      offers.append(button);
    }
  };

  // -- the length of a text, which is shown and not read aloud at each key
  const count = (area) => {
    if (!area.dataset.count) return;
    let shown = area.nextElementSibling;
    if (!shown || !shown.classList.contains("counted")) {
      shown = document.createElement("p");
      shown.className = "counted soft small";
      area.after(shown);
    }
    const most = area.dataset.most ? `/${area.dataset.most}` : "";
    shown.textContent = area.dataset.count.replace("{number}", [...area.value.replace(/\s/g, "")].length + most);
  };
  addEventListener("input", (event) => { if (event.target.matches("textarea[data-count]")) count(event.target); });

  find("textarea[data-count]").forEach(count);
  find("form[data-draft]").forEach(drafting);
  find("[data-clear]").forEach((one) => drop(`${PREFIX}${one.dataset.clear}/${tab}`));
  document.querySelector("[data-focus]")?.focus();
})();
