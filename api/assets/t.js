/* The script of our pages: what visitors do goes to /v1/b of the host it came from. docs/tracker.md says how it is used.
 *
 * What is served is t.min.js, made from this file by tools/tracker.py. ES2017; no eval, nothing inline, nothing loaded.
 * Nothing in here may harm the page: what cannot be kept or sent is left out, without a word.
 */
(() => {
  'use strict';

  const script = document.currentScript || document.querySelector('script[data-key]');
  const there = window.tabiji || {}; // perhaps an element of that id
  const stub = there.q ? there : {};
  if (!script || (there.reset && !there.q)) return; // a second copy would count everything twice

  const NAME = 'tabiji';
  const MOST = 60; // events kept while the server is away: one beacon takes 64 KB
  const FILE = /([^/]+)\.(pdf|docx?|xlsx?|pptx?|odt|ods|odp|rtf|txt|csv|zip|7z|rar|gz|dmg|pkg|exe|msi|apk|epub|mp[34]|mov|webm|ics|vcf)$/i;
  const AD = /^([gdy]clid|[gw]braid|fbclid|msclkid|ttclid|twclid|li_fat_id|ldtag_cl|epik|ScCid|rdt_cid)$/;
  const SECRET = /passw|card|cvc|cvv|secur|\bcc-|one-time/i;

  const { key, consent, domain, page, query } = script.dataset;
  const door = new URL('v1/b', script.src).href;

  /* Who it is: known to this page alone, until somebody has consented to more. */

  const uuid = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), byte => (byte + 256).toString(16).slice(1)).join('');
  const fresh = () => ({ a: uuid() });
  let memory = fresh();

  const load = () => {
    try {
      const text = domain ? /(?:^|; )tabiji=([^;]+)/.exec(document.cookie)[1] : localStorage.getItem(NAME);
      const found = JSON.parse(decodeURIComponent(text));
      return found.a && found;
    } catch (error) {
      return null;
    }
  };
  const save = who => {
    try {
      const text = who ? encodeURIComponent(JSON.stringify(who)) : '';
      if (domain) {
        const safe = location.protocol == 'https:' ? ';secure' : '';
        document.cookie = `${NAME}=${text};domain=${domain};path=/;samesite=lax;max-age=${who ? 31536e3 : 0}${safe}`;
      } else if (who) localStorage.setItem(NAME, text);
      else localStorage.removeItem(NAME);
    } catch (error) {}
  };
  // Read each time: another tab may have logged out, or taken the consent back.
  const who = () => load() || memory;
  const become = me => (load() ? save(me) : (memory = me));

  /* What is sent: one request at a time, so that the order stays, and again where the server was away. */

  let held = consent == 'hold' && !load() ? 1 : 0; // 2: they said no, and nothing is kept either
  let queue = [];
  let busy, timer, tries = 0;

  const body = events => `{"writeKey":${JSON.stringify(key)},"sentAt":"${new Date().toISOString()}","batch":[${events}]}`;
  const soon = wait => {
    timer = timer || setTimeout(flush, wait);
  };
  const flush = () => {
    timer = 0;
    if (held || busy) return;
    visit();
    if (!queue.length) return;
    const events = queue.splice(0);
    const text = body(events);
    busy = 1;
    fetch(door, { method: 'POST', body: text, credentials: 'omit', keepalive: text.length < 2e4 })
      .then(answer => answer.status == 429 || answer.status > 499, () => true)
      .then(again => {
        busy = 0;
        if (again) queue = events.concat(queue).slice(-MOST);
        tries = again ? tries + 1 : 0;
        if (queue.length) soon(again ? Math.min(2 ** tries, 64) * 500 : 0);
      });
  };
  const beacon = () => {
    if (!held && queue.length && navigator.sendBeacon) navigator.sendBeacon(door, body(queue.splice(0)));
  };

  const send = (type, fields) => {
    if (held > 1) return;
    try {
      const me = who();
      const context = {
        page: view,
        campaign,
        locale: navigator.language,
        timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
        library: { name: 'tabiji.js' },
        tabiji: me.h && { userHash: me.h },
      };
      const event = { type, messageId: uuid(), timestamp: new Date(), anonymousId: me.a, userId: me.u, context };
      queue = queue.concat(JSON.stringify(Object.assign(event, fields))).slice(-MOST);
      soon(0);
    } catch (error) {}
  };
  const track = (event, properties) => send('track', { event, properties });

  /* By which mail they came. The token counts for minutes, and is nobody else's to see. */

  let token = (/[?&]tbj=([^&]*)/.exec(location.search) || [])[1];
  if (token) {
    const rest = location.search.replace(/([?&])tbj=[^&]*&?/, '$1').replace(/[?&]$/, '');
    history.replaceState(history.state, '', location.pathname + rest + location.hash);
  }
  const visit = () => {
    const me = who();
    if (token && !me.u && navigator.sendBeacon) {
      navigator.sendBeacon(new URL('t/visit', script.src).href, JSON.stringify({ token, anonymousId: me.a }));
    }
    token = 0;
  };

  /* Pages: one event when they come, one when they go, with how long they looked and how far down. */

  let from = document.referrer.split(/[?#]/)[0];
  let view, campaign, open, since, seen, lowest, place, arriving;

  const readable = text => {
    try {
      return decodeURI(text);
    } catch (error) {
      return text;
    }
  };
  const look = () => {
    lowest = Math.max(lowest, window.scrollY + window.innerHeight);
  };
  const watch = () => {
    const now = performance.now();
    if (since) seen += now - since;
    since = document.hidden ? 0 : now;
  };
  const leave = () => {
    if (!open) return;
    open = 0;
    from = view.url;
    watch();
    look();
    const depth = Math.min(100, Math.round((lowest / document.documentElement.scrollHeight) * 100));
    track('Page Left', Object.assign({}, view, { seconds: Math.round(seen / 1000), depth }));
  };
  const see = () => {
    const found = {};
    const search = new URLSearchParams();
    new URLSearchParams(location.search).forEach((value, name) => {
      value = value.slice(0, 300);
      if (/^utm_/.test(name)) found[name == 'utm_campaign' ? 'name' : name.slice(4)] = value;
      else if (AD.test(name)) found[name] = value;
      if (query && query.split(/[\s,]+/).includes(name)) search.append(name, value);
    });
    if (Object.keys(found).length) campaign = found;
    view = {
      path: readable(location.pathname),
      url: location.origin + location.pathname,
      title: document.title,
      referrer: from,
      search: search.toString() ? '?' + search : undefined,
    };
    place = location.pathname + location.search;
  };
  const arrive = (name, properties) => {
    leave();
    see();
    open = 1;
    seen = since = lowest = 0;
    watch();
    send('page', { name, properties }); // the rest of it is in the context
  };
  const moved = () => {
    if (place == location.pathname + location.search) return;
    place = location.pathname + location.search;
    leave();
    clearTimeout(arriving);
    arriving = setTimeout(arrive, 50); // by then the page has its new title
  };

  /* Links and forms. */

  const click = event => {
    const link = event.composedPath().find(node => node.matches && node.matches('a[href]'));
    if (!link || !/^http/.test(link.protocol) || event.button > 1) return;
    const file = FILE.exec(readable(link.pathname));
    const url = link.origin + link.pathname;
    const text = link.textContent.trim().slice(0, 80);
    if (file || link.hasAttribute('download')) {
      track('File Downloaded', file ? { url, file: file[0], extension: file[2].toLowerCase(), text } : { url, text });
    } else if (link.host != location.host && !(domain && `.${link.hostname}`.endsWith('.' + domain))) {
      track('Outbound Link Clicked', { url, host: link.host, text });
    }
  };
  const submit = event => {
    const form = event.composedPath()[0];
    const name = form.getAttribute('data-tabiji-form');
    if (!name) return;
    const take = list => {
      const found = {};
      const names = (form.getAttribute(list) || '').split(/[\s,]+/);
      for (const field of form.elements) {
        const value = (field.value || '').trim();
        if (!value || !names.includes(field.name) || (/radio|checkbox/.test(field.type) && !field.checked)) continue;
        if (/password|file/.test(field.type) || SECRET.test(field.name + ' ' + field.autocomplete)) continue;
        if (/(\d[ -]?){14}/.test(value.normalize('NFKC'))) continue; // a card's number, wherever it was typed
        found[field.name] = found[field.name] ? `${found[field.name]}, ${value}` : value;
      }
      return found;
    };
    const traits = take('data-tabiji-traits');
    if (Object.keys(traits).length) api.identify(traits);
    track('Form Submitted', Object.assign(take('data-tabiji-fields'), { form: name }));
  };

  /* What pages call. */

  const api = {
    id: () => who().a,
    track,
    page: arrive,
    identify(userId, traits, options) {
      if (userId && typeof userId == 'object') return api.identify(0, userId);
      const me = who();
      if (userId) {
        const same = me.u == userId;
        become({ a: same || !me.u ? me.a : uuid(), u: String(userId), h: (options || {}).hash || (same && me.h) || undefined });
      }
      send('identify', { traits });
    },
    reset: () => {
      become(fresh());
    },
    consent(given) {
      if (given) {
        save(who());
        if (load()) memory = fresh();
        held = 0;
        soon(0);
      } else {
        save();
        memory = fresh();
        if (consent == 'hold') {
          held = 2;
          queue = [];
        }
      }
    },
  };

  const begin = () => {
    if (consent == 'given') api.consent(true);
    if (page == 'manual') see();
    else {
      arrive();
      for (const name of ['pushState', 'replaceState']) {
        const original = history[name];
        history[name] = function () {
          const answer = original.apply(this, arguments);
          moved();
          return answer;
        };
      }
      addEventListener('popstate', moved);
      addEventListener('pageshow', event => event.persisted && arrive());
    }
    addEventListener('scroll', look, { passive: true });
    addEventListener('click', click, true);
    addEventListener('auxclick', click, true);
    addEventListener('submit', submit, true);
    document.addEventListener('visibilitychange', () => {
      watch();
      // Phones end pages in the background without another word.
      if (document.hidden && matchMedia('(pointer:coarse)').matches) gone();
    });
    addEventListener('pagehide', gone);
    for (const [name, ...given] of stub.q || []) if (api[name]) api[name](...given);
    delete stub.q;
    window.tabiji = Object.assign(stub, api);
  };
  const gone = () => {
    clearTimeout(arriving);
    leave();
    beacon();
  };

  if (document.prerendering) document.addEventListener('prerenderingchange', begin, { once: true });
  else begin();
})();
