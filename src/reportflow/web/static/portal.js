/* The portal's own script. Every page works without it: it keeps what was typed, and sends a form once. */
(() => {
  "use strict";
  const PREFIX = "reportflow:";
  const find = (selector, root = document) => [...root.querySelectorAll(selector)];
  // The time of day in the office's zone, whatever the browser's is.
  const clock = (form) => new Date(Date.now() + form.dataset.offset * 60000).toISOString().slice(11, 16);
  // Storage may be full, forbidden or gone: then nothing is kept here, and the page says so.
  const stored = (action) => { try { return action(); } catch { return undefined; } };
  const keysOf = (start) => stored(() => Object.keys(localStorage).filter((key) => key.startsWith(PREFIX + start))) || [];

  // A tab has a name of its own, so that two tabs do not overwrite each other.
  const tab = (() => {
    let name = stored(() => sessionStorage.getItem(PREFIX + "tab"));
    if (!name) {
      name = Date.now().toString(36) + Math.random().toString(36).slice(2, 8);
      stored(() => sessionStorage.setItem(PREFIX + "tab", name));
    }
    return name;
  })();

  // -- a form is sent once --------------------------------------------------------------------------------------
  // A second click is not sent; the button keeps its name and value, so it is not disabled.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent) { event.preventDefault(); return; }
    if (form.dataset.forget) keysOf(form.dataset.forget).forEach((key) => stored(() => localStorage.removeItem(key)));
    if (form.method === "post") {
      form.dataset.sent = "yes";
      find("button", form).forEach((button) => button.setAttribute("aria-disabled", "true"));
    }
  });
  // Back shows the page as it was left: the form may be sent again.
  window.addEventListener("pageshow", () => {
    find("form[data-sent]").forEach((form) => {
      delete form.dataset.sent;
      find("button", form).forEach((button) => button.removeAttribute("aria-disabled"));
    });
  });
  document.addEventListener("keydown", (event) => {
    const form = event.target.form;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && form && form.dataset.draft) {
      event.preventDefault();
      form.requestSubmit(form.querySelector("button.primary"));
    }
  });

  // -- drafts ---------------------------------------------------------------------------------------------------
  const typedIn = (form) => {
    const fields = {};
    for (const [name, value] of new FormData(form)) {
      if (typeof value === "string" && !/^_(token|key|tab|from|next|draft|head|version)$/.test(name)) (fields[name] ||= []).push(value);
    }
    return fields;
  };
  const putBack = (form, fields) => {
    for (const one of form.elements) {
      if (!one.name || one.type === "file" || one.type === "submit" || /^_(token|key|tab|from|next|draft|head|version)$/.test(one.name)) continue;
      const values = fields[one.name] || [];
      if (one.type === "checkbox" || one.type === "radio") one.checked = values.includes(one.value);
      else if (values.length) one.value = values[0];
    }
    find("textarea", form).forEach(count);
  };
  // A form with groups that this page does not have is opened from the server, which has them.
  const fits = (form, fields) => Object.keys(fields).every((name) => form.elements[name] || /\/(id|was|kept|pick|other)$/.test(name));

  const drafting = (form) => {
    const here = `${PREFIX}${form.dataset.keep}/${tab}`;
    const status = form.querySelector("[data-status]");
    const say = (text, failed) => { status.textContent = text; status.classList.toggle("failed", Boolean(failed)); };
    let unsaved = false, busy = false, again = false, timer = 0, sooner = 0;
    form.elements._tab.value = tab;

    const inBrowser = () => {
      const secrecy = form.elements.secrecy, chosen = secrecy && (secrecy.value || "");
      return form.dataset.browser && (!chosen || form.dataset.secrecies.split(" ").includes(chosen));
    };
    const keepHere = () => {
      if (!inBrowser()) { stored(() => localStorage.removeItem(here)); return; }
      const kept = { at: clock(form), head: form.dataset.head, version: form.elements._version.value, fields: typedIn(form) };
      stored(() => localStorage.setItem(here, JSON.stringify(kept)));
    };
    // One save at a time: what is typed meanwhile is saved after it.
    const keepThere = async () => {
      if (busy) { again = true; return; }
      busy = true;
      const body = new URLSearchParams();
      for (const [name, value] of new FormData(form)) if (typeof value === "string") body.append(name, value);
      try {
        const answer = await fetch(form.dataset.draft, { method: "POST", body, headers: { Accept: "application/json" } });
        if (!answer.ok || answer.redirected) throw new Error(answer.status);
        const { at } = await answer.json();
        unsaved = again;
        say(form.dataset.kept.replace("{at}", at));
      } catch {
        unsaved = true;
        say(form.dataset.failed, true);
      }
      busy = false;
      if (again) { again = false; keepThere(); }
    };
    form.addEventListener("input", () => {
      clearTimeout(sooner); clearTimeout(timer);
      sooner = setTimeout(keepHere, 400);
      timer = setTimeout(keepThere, 2500);
    });
    form.addEventListener("submit", () => { clearTimeout(sooner); clearTimeout(timer); keepHere(); unsaved = false; });
    // Only what could not be saved holds up who leaves.
    window.addEventListener("beforeunload", (event) => { if (unsaved) event.preventDefault(); });

    if (!form.dataset.fresh) return;
    const offers = form.querySelector("[data-offers]");
    const restore = (kept) => {
      putBack(form, kept.fields);
      if (kept.head !== form.dataset.head) { form.elements._head.value = kept.head; form.elements._version.value = kept.version; }
      say(form.dataset.restored.replace("{at}", kept.at));
    };
    for (const key of keysOf(form.dataset.keep + "/")) {
      const kept = stored(() => JSON.parse(localStorage.getItem(key)));
      if (!kept || !kept.fields || !fits(form, kept.fields)) continue;
      if (key === here && kept.head === form.dataset.head) { restore(kept); continue; }
      const older = kept.head !== form.dataset.head;
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = (older ? form.dataset.offerOlder : form.dataset.offer).replace("{at}", kept.at);
      button.addEventListener("click", () => {
        restore(kept); keepHere(); button.remove();
        if (key !== here) stored(() => localStorage.removeItem(key));
      });
      offers.append(button);
    }
  };

  // -- the length of a text, which is shown and not read aloud at each key ------------------------------------------
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
  document.addEventListener("input", (event) => { if (event.target.matches("textarea[data-count]")) count(event.target); });

  find("textarea[data-count]").forEach(count);
  find("form[data-draft]").forEach(drafting);
  find("[data-clear]").forEach((one) => stored(() => localStorage.removeItem(`${PREFIX}${one.dataset.clear}/${tab}`)));
  const wrong = document.querySelector("[data-focus]");
  if (wrong) wrong.focus();
})();
