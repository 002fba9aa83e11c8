(function () {
  "use strict";
  var body = document.body, top = window.parent;
  if (top === window) return;
  function say(what) { top.postMessage(what, "*"); }
  function height() { say({ tabiji: "height", height: Math.ceil(document.documentElement.getBoundingClientRect().height) }); }
  new ResizeObserver(height).observe(document.documentElement);
  height();
  addEventListener("keydown", function (event) { if (event.key === "Escape") say({ tabiji: "close" }); });
  if (body.dataset.sent) say({ tabiji: "sent", onward: body.dataset.onward || "" });
})();
