// Puts a form of tabiji in the place of its link: <a href=".../f/NAME" data-tabiji-embed="NAME">. Without JavaScript it is a link.
(function () {
  "use strict";
  var name = "__NAME__", title = "__TITLE__", me = document.currentScript, from = new URL(me.src);
  var home = from.origin + from.pathname.slice(0, -("/f/" + name + ".js").length);
  var links = document.querySelectorAll('a[data-tabiji-embed="' + name + '"]');

  function address() {
    var to = new URL(home + "/f/" + name + "/embed"), here = new URLSearchParams(location.search);
    here.forEach(function (value, key) { if (/^utm_|^tbj$/.test(key)) to.searchParams.set(key, value); });
    to.searchParams.set("page", location.pathname);
    try { to.searchParams.set("timezone", Intl.DateTimeFormat().resolvedOptions().timeZone); } catch (e) { /* unknown */ }
    try { var visitor = window.tabiji.id(); if (visitor) to.searchParams.set("anonymous_id", visitor); } catch (e) { /* no tracker */ }
    return to.href;
  }

  function put(link) {
    var frame = document.createElement("iframe");
    frame.title = title;
    frame.style.cssText = "display:block;width:100%;border:0;height:32rem";
    addEventListener("message", function (event) {
      if (event.source !== frame.contentWindow || event.origin !== from.origin || !event.data) return;
      if (event.data.tabiji === "height") frame.style.height = event.data.height + "px";
      if (event.data.tabiji === "sent" && event.data.onward) location.assign(new URL(event.data.onward, home + "/").href);
    });
    frame.src = address();
    if (link) link.replaceWith(frame); else me.after(frame);
  }

  if (links.length) links.forEach(put); else put(null);
})();
