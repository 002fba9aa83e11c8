// Shows a form of tabiji over a page, once:
//   <script src=".../popup.js" data-form="NAME" data-delay="20" data-scroll="60" data-exit async></script>
(function () {
  "use strict";
  var me = document.currentScript, set = me.dataset, form = set.form, from = new URL(me.src);
  var home = from.origin + from.pathname.slice(0, -"/popup.js".length), key = "tabiji.popup." + form;
  var japanese = /^ja/i.test(set.lang || document.documentElement.lang);
  if (!form || window[key]) return;
  window[key] = true;

  // What is kept on the device wants consent, which t.js leaves a mark of. Without it, once means: once in this page's life.
  function agreed() {
    if (set.remember !== undefined) return true;
    try { return localStorage.getItem("tabiji") !== null || /(^|; )tabiji=/.test(document.cookie); } catch (e) { return false; }
  }
  function seen() {
    try { return agreed() && localStorage.getItem(key) !== null; } catch (e) { return false; }
  }
  function keep() {
    try { if (agreed()) localStorage.setItem(key, "1"); } catch (e) { /* nothing is kept */ }
  }

  var shown = false, delay = parseFloat(set.delay), scroll = parseFloat(set.scroll), timer;

  function show() {
    if (shown) return;
    shown = true;
    stop();
    if (seen()) return;
    keep();
    open();
  }
  function scrolled() {
    var most = document.documentElement.scrollHeight - innerHeight;
    if (most <= 0 || (scrollY / most) * 100 >= scroll) show();
  }
  function leaving(event) {
    if (!event.relatedTarget && event.clientY <= 0) show();
  }
  function stop() {
    clearTimeout(timer);
    removeEventListener("scroll", scrolled);
    document.removeEventListener("mouseout", leaving);
  }

  function open() {
    var dialog = document.createElement("dialog"), shut = document.createElement("button"), frame = document.createElement("iframe");
    var before = document.activeElement, title = set.title || (japanese ? "フォーム" : "Form");
    dialog.setAttribute("aria-label", title);
    dialog.style.cssText = "box-sizing:border-box;width:min(36rem,calc(100vw - 1rem));max-width:none;max-height:calc(100vh - 1rem);padding:.5rem;border:1px solid #66707f;border-radius:.5rem;overflow:auto;background:Canvas;color:CanvasText";
    shut.type = "button";
    shut.textContent = japanese ? "閉じる" : "Close";
    shut.style.cssText = "display:block;position:sticky;top:0;margin:0 0 0 auto;min-width:2.75rem;min-height:2.75rem;padding:0 1rem;font:inherit;cursor:pointer";
    shut.onclick = function () { dialog.close(); };
    frame.title = title;
    frame.style.cssText = "display:block;width:100%;height:24rem;border:0";
    frame.src = address();
    addEventListener("message", hear);
    dialog.addEventListener("click", function (event) { if (event.target === dialog && outside(event)) dialog.close(); });
    dialog.addEventListener("close", function () { removeEventListener("message", hear); dialog.remove(); if (before) before.focus(); });
    dialog.append(shut, frame);
    document.body.append(dialog);
    dialog.showModal();

    function outside(event) {
      var box = dialog.getBoundingClientRect();
      return event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom;
    }
    function hear(event) {
      if (event.source !== frame.contentWindow || event.origin !== from.origin || !event.data) return;
      if (event.data.tabiji === "height") frame.style.height = event.data.height + "px";
      if (event.data.tabiji === "close") dialog.close();
      if (event.data.tabiji === "sent" && event.data.onward) location.assign(new URL(event.data.onward, home + "/").href);
    }
  }
  function address() {
    var to = new URL(home + "/f/" + encodeURIComponent(form) + "/embed");
    new URLSearchParams(location.search).forEach(function (value, name) { if (/^utm_|^tbj$/.test(name)) to.searchParams.set(name, value); });
    to.searchParams.set("page", location.pathname);
    try { to.searchParams.set("timezone", Intl.DateTimeFormat().resolvedOptions().timeZone); } catch (e) { /* unknown */ }
    try { var visitor = window.tabiji.id(); if (visitor) to.searchParams.set("anonymous_id", visitor); } catch (e) { /* no tracker */ }
    return to.href;
  }

  if (set.exit !== undefined) document.addEventListener("mouseout", leaving);
  if (scroll >= 0) { addEventListener("scroll", scrolled, { passive: true }); scrolled(); }
  if (delay >= 0) timer = setTimeout(show, delay * 1000);
  window.tabijiPopup = show;
})();
