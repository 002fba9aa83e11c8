// Asks what came in as long as the page is open. Whatever people sent is shown as text, never as markup.
"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const MOST = 200;
  let round = 0;
  let paused = false;

  const element = (tag, words, kind) => {
    const made = document.createElement(tag);
    if (words !== undefined) made.textContent = words;
    if (kind) made.className = kind;
    return made;
  };

  const time = (iso) => {
    const made = element("time", new Date(iso).toLocaleTimeString());
    made.dateTime = iso;
    return made;
  };

  const show = (item) => {
    const list = $("events");
    list.prepend(item);
    while (list.children.length > MOST) list.lastChild.remove();
  };

  const event = (one) => {
    const item = element("li", undefined, "event");
    const head = element("div", undefined, "head");
    head.append(time(one.recorded_at), element("strong", one.name), element("span", one.identity || "", "who"));
    const did = element("ul", undefined, "did");
    one.started.forEach((s) => did.append(element("li", `entered ${s.journey} (start ${s.dispatch})`)));
    one.woke.forEach((w) => did.append(element("li", `answered ${w.journey}: ${w.step} (signal ${w.dispatch})`)));
    if (one.nothing) did.append(element("li", `nothing: ${one.nothing}`));
    else one.passed.forEach((p) => did.append(element("li", `not ${p.journey}: ${p.why}`)));
    one.problems.forEach((p) => did.append(element("li", `not as declared: ${p}`, "problem")));
    const more = element("details");
    more.append(element("summary", "What was sent"));
    more.append(element("pre", JSON.stringify(
      { messageId: one.message_id, contact: one.contact_id, at: one.at, properties: one.properties }, null, 2)));
    item.append(head, did, more);
    show(item);
  };

  const refusal = (one) => {
    const item = element("li", undefined, "event refused");
    const head = element("div", undefined, "head");
    head.append(time(one.recorded_at), element("strong", `refused: ${one.call} (${one.status})`),
      element("span", one.key ? `key ${one.key}` : "no known key", "who"));
    const did = element("ul", undefined, "did");
    did.append(element("li", one.field ? `${one.field}: ${one.problem}` : one.problem));
    item.append(head, did);
    show(item);
  };

  const asked = () => {
    const found = new URLSearchParams({ limit: "100" });
    const who = $("who").value.trim();
    if ($("name").value.trim()) found.set("name", $("name").value.trim());
    if (who) found.set("who", who);
    return found;
  };

  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

  const follow = async (mine) => {
    const place = {};
    let waited = 0;
    while (mine === round) {
      if (paused || document.hidden) { await pause(300); continue; }
      const query = asked();
      Object.entries(place).forEach(([name, value]) => query.set(name, value));
      if (place.after !== undefined) query.set("wait", "8");
      try {
        const answer = await fetch(`/v1/events/trace?${query}`, { headers: { Authorization: `Bearer ${$("key").value.trim()}` } });
        if (mine !== round) return;
        const said = await answer.json();
        if (!answer.ok) {
          $("state").textContent = said.detail;
          if (answer.status !== 503) return;
          await pause(2000);
          continue;
        }
        place.after = said.after;
        place.refused_after = said.refused_after;
        [...said.refused.map((one) => [one.recorded_at, refusal, one]), ...said.events.map((one) => [one.recorded_at, event, one])]
          .sort(([a], [b]) => (a < b ? -1 : 1)).forEach(([, draw, one]) => draw(one));
        $("state").textContent = $("events").children.length ? "Watching. The latest stands first." : "Watching. Nothing has come in yet.";
        waited = 0;
      } catch {
        $("state").textContent = "The API does not answer. Trying again.";
        await pause(Math.min(500 * 2 ** waited++, 10000));
      }
    }
  };

  const begin = () => {
    sessionStorage.setItem("tabiji.key", $("key").value.trim());
    $("events").replaceChildren();
    $("state").textContent = "Asking.";
    follow(++round);
  };

  $("ask").addEventListener("submit", (submitted) => { submitted.preventDefault(); begin(); });
  $("pause").addEventListener("click", () => {
    paused = !paused;
    $("pause").setAttribute("aria-pressed", String(paused));
    $("pause").textContent = paused ? "Go on" : "Pause";
  });
  const kept = sessionStorage.getItem("tabiji.key");
  if (kept) { $("key").value = kept; begin(); }
})();
