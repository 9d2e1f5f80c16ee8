/* The portal's own script. Every page works without it: it keeps what was typed, and sends a form once. */
(() => {
  "use strict";
  // A second click on a form that is on its way is not sent; the button keeps its name and value, so it is not disabled.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    if (form.method === "post") {
      form.dataset.sent = "yes";
      form.querySelectorAll("button").forEach((button) => button.setAttribute("aria-disabled", "true"));
    }
  });
  // Back shows the page as it was left: the form may be sent again.
  window.addEventListener("pageshow", () => {
    document.querySelectorAll("form[data-sent]").forEach((form) => {
      delete form.dataset.sent;
      form.querySelectorAll("button").forEach((button) => button.removeAttribute("aria-disabled"));
    });
  });
})();
