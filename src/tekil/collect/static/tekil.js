// tekil.js: what a page tells Tekil. First-party, without dependencies, at most 6 kB packed.
//
//   <script async src="https://events.example.com/tekil.js" data-write-key="…"></script>
//
// Attributes: data-consent="required" keeps silent, and stores nothing, until tekil.consent(…) says more;
// data-spa="off", data-vitals="off" leave out page views of single-page apps and measurements.
// Before the script is there, calls wait: (window.tekil = window.tekil || []).push(["track", "Signed Up"]).
(() => {
  const script = document.currentScript || document.querySelector("script[data-write-key]")
  const early = window.tekil
  if (early && early.track) return
  const data = script.dataset
  const door = new URL(script.src).origin
  const nav = navigator
  const PLACE = "tekil"
  const WAITING = "tekil.waiting."
  const SESSION = 30 * 60e3
  const CLICKS = ["gclid", "gbraid", "wbraid", "fbclid", "msclkid", "ttclid", "li_fat_id"]
  const gpc = nav.globalPrivacyControl === true
  const now = Date.now
  const iso = () => new Date().toISOString()
  const listen = (to, name, then, how) => to.addEventListener(name, then, how)
  const quietly = (act) => {
    try {
      return act()
    } catch {}
  }
  const id = () =>
    crypto.randomUUID
      ? crypto.randomUUID()
      : "10000000-1000-4000-8000-100000000000".replace(/[018]/g, (c) =>
          (c ^ (crypto.getRandomValues(new Uint8Array(1))[0] & (15 >> (c / 4)))).toString(16),
        )

  // What is remembered: a anonymous id, u user id, c consent, f first touch, s session. Nothing of it is
  // before the visitor may be remembered; of one who refused, only that.
  const asks = data.consent === "required"
  const read = (place) => quietly(() => JSON.parse(localStorage.getItem(place)))
  const write = (place, value) =>
    quietly(() => (value ? localStorage.setItem(place, JSON.stringify(value)) : localStorage.removeItem(place)))
  const decided = () => !!consent && consent.analytics !== undefined
  const may = () => (decided() ? consent.analytics : !asks && !gpc)
  const speaks = () => !asks || decided()
  let memory = read(PLACE) || {}
  let consent = memory.c
  if (!may()) memory = {}
  memory.a = memory.a || id()

  // Messages wait here until the door has them, or refuses them for good; each tab keeps its own for the
  // next visit, and takes over what others left. Twice sent is once counted: a message has its id.
  let waiting = []
  const mine = WAITING + id()
  if (may())
    for (const place of quietly(() => Object.keys(localStorage)) || [])
      if (place.startsWith(WAITING)) {
        waiting.push(...(read(place) || []))
        write(place)
      }
  const keep = () => {
    write(PLACE, may() ? memory : consent && { c: consent })
    write(mine, may() && waiting.length && waiting)
  }
  listen(window, "storage", (e) => {
    const other = e.key === PLACE && may() && read(PLACE)
    if (other && other.a) memory = other
  })

  // Where somebody came from.
  const campaign = (params) => {
    const found = {}
    for (const [name, value] of params) {
      const utm = /^utm_(\w+)$/.exec(name)
      if (utm) found[utm[1] === "campaign" ? "name" : utm[1]] = value
    }
    return Object.keys(found).length ? found : undefined
  }
  // Who asks for privacy is not followed by the id of a click, unless they said so.
  const shares = () => !gpc || (consent && consent.sharing)
  const address = () => {
    const url = new URL(location.href)
    if (!shares()) for (const name of CLICKS) url.searchParams.delete(name)
    return url
  }
  const clicks = (params) => {
    const found = {}
    for (const name of CLICKS) if (params.get(name)) found[name] = params.get(name)
    return Object.keys(found).length ? found : undefined
  }
  const outside = (url) => quietly(() => new URL(url).host !== location.host)
  const touch = () => {
    const { href, searchParams: params } = address()
    return {
      url: href,
      referrer: outside(referrer) ? referrer : undefined,
      campaign: campaign(params),
      clicks: clicks(params),
      at: iso(),
    }
  }
  let referrer = document.referrer
  const session = () => {
    const at = now()
    const came = touch()
    const is_new_touch = (came.campaign || came.clicks) && came.url !== (memory.s || {}).url
    if (!memory.s || at - memory.s.last > SESSION || is_new_touch)
      memory.s = { id: id(), n: ((memory.s || {}).n || 0) + 1, url: came.url, from: at }
    memory.s.last = at
    memory.f = memory.f || came
    return { id: memory.s.id, number: memory.s.n, start: new Date(memory.s.from).toISOString() }
  }

  const here = () => ({
    url: address().href,
    path: location.pathname,
    search: address().search,
    title: document.title,
    referrer,
  })
  const context = (page) => {
    const params = address().searchParams
    return {
      page,
      campaign: campaign(params),
      clickIds: clicks(params),
      session: session(),
      firstTouch: memory.f,
      userAgent: nav.userAgent,
      locale: nav.language,
      timezone: quietly(() => Intl.DateTimeFormat().resolvedOptions().timeZone),
      screen: { width: screen.width, height: screen.height, density: devicePixelRatio },
      library: { name: "tekil.js", version: "1" },
      gpc: gpc || undefined,
      consent: consent && { categoryPreferences: consent },
    }
  }

  let timer
  let tries = 0
  let sending = false
  const body = (batch) => JSON.stringify({ batch, writeKey: data.writeKey, sentAt: iso() })
  const some = () => {
    const batch = []
    let size = 0
    for (const message of waiting) {
      size += JSON.stringify(message).length * 1.2
      if (batch.length && (size > 5e4 || batch.length > 49)) break
      batch.push(message)
    }
    return batch
  }
  const drop = (batch) => {
    const gone = new Set(batch.map((m) => m.messageId))
    waiting = waiting.filter((m) => !gone.has(m.messageId))
    keep()
  }
  const later = (wait) => {
    clearTimeout(timer)
    timer = setTimeout(flush, wait)
  }
  const flush = async () => {
    if (sending || !waiting.length || !speaks()) return
    sending = true
    const batch = some()
    let wait = 0
    try {
      const answer = await fetch(`${door}/v1/batch`, { method: "POST", body: body(batch), keepalive: true })
      const again = answer.status > 499 || answer.status === 429 || answer.status === 408
      if (again) throw answer.status
      if (!answer.ok) console.error("tekil.js:", answer.status, await answer.text())
      tries = 0
      drop(batch)
    } catch {
      wait = Math.min(1e3 * 2 ** tries++, 6e4) * (0.5 + Math.random())
      keep()
    }
    sending = false
    if (waiting.length) later(wait)
  }
  const leave = () => {
    while (waiting.length && speaks()) {
      const batch = some()
      if (!nav.sendBeacon || !nav.sendBeacon(`${door}/v1/batch`, body(batch))) break
      drop(batch)
    }
    keep()
  }
  const put = (type, more, page = here()) => {
    waiting.push({
      type,
      ...more,
      anonymousId: memory.a,
      userId: memory.u,
      messageId: id(),
      timestamp: iso(),
      context: context(page),
    })
    if (waiting.length > 1000) waiting.shift()
    keep()
    if (speaks()) later(waiting.length > 19 ? 0 : 500)
  }
  const say = (...message) => {
    if (!consent || consent.analytics !== false) put(...message)
  }

  // How long a page was looked at, and how far down.
  let seen = 0
  let since = document.hidden ? 0 : now()
  let depth = 0
  let current
  const pause = () => {
    if (since) seen += now() - since
    since = 0
  }
  const deep = () => {
    const all = document.documentElement.scrollHeight
    depth = Math.max(depth, Math.min(100, Math.round((100 * (scrollY + innerHeight)) / all)))
  }
  const goodbye = () => {
    if (!current) return
    pause()
    const properties = { seconds: Math.round(seen / 100) / 10, scroll_percent: depth }
    say("track", { event: "Page Left", properties }, current)
    current = undefined
  }

  const tekil = {
    page(name, properties) {
      goodbye()
      current = here()
      seen = depth = 0
      since = document.hidden ? 0 : now()
      say("page", { name, properties: { ...current, ...properties } }, current)
      deep()
    },
    track(event, properties) {
      say("track", { event, properties })
    },
    identify(userId, traits) {
      if (userId && typeof userId === "object") [userId, traits] = [undefined, userId]
      if (userId && memory.u && String(userId) !== memory.u) tekil.reset()
      if (userId) memory.u = String(userId)
      say("identify", { traits })
    },
    group(groupId, traits) {
      say("group", { groupId: String(groupId), traits })
    },
    alias(userId, previousId) {
      say("alias", { userId, previousId: previousId || memory.a })
    },
    // Somebody else sits down here: after signing out, or when another user id is said.
    reset() {
      memory = { a: id(), c: consent }
      keep()
    },
    // What the visitor chose, by purpose: {analytics: true, sharing: false}. After a no to analytics the page
    // says nothing but this.
    consent(choices) {
      memory.c = consent = { ...consent, ...choices }
      if (consent.analytics === false) waiting = []
      put("track", { event: "Consent Given", properties: choices })
    },
    flush,
    get anonymousId() {
      return memory.a
    },
  }

  // Forms with data-tekil-form: begun, how far, sent or given up. Values only of fields with data-tekil-value.
  const forms = new Map()
  const formOf = (target) => target && target.closest && target.closest("form[data-tekil-form]")
  const nameOf = (form) => form.dataset.tekilForm || form.id || form.name || "form"
  const told = (form, state) => ({
    form: nameOf(form),
    field: state.field,
    fields_reached: state.fields.size,
    seconds: Math.round((now() - state.from) / 100) / 10,
  })
  listen(document, "focusin", ({ target }) => {
    const form = formOf(target)
    if (!form || !target.name) return
    let state = forms.get(form)
    if (!state) {
      forms.set(form, (state = { from: now(), fields: new Set() }))
      tekil.track("Form Started", { form: nameOf(form), field: target.name })
    }
    state.field = target.name
    state.fields.add(target.name)
  })
  listen(
    document,
    "submit",
    ({ target }) => {
      const form = formOf(target)
      if (!form) return
      const values = {}
      for (const field of form.elements)
        if (field.name && "tekilValue" in field.dataset && (field.checked || !/^(checkbox|radio)$/.test(field.type)))
          values[field.name] = field.value
      const state = forms.get(form) || { from: now(), fields: new Set() }
      forms.delete(form)
      tekil.track("Form Submitted", { ...told(form, state), values })
    },
    true,
  )
  const abandon = () => {
    for (const [form, state] of forms)
      say("track", { event: "Form Abandoned", properties: told(form, state) }, current)
    forms.clear()
  }
  listen(
    document,
    "click",
    ({ target }) => {
      const link = target.closest && target.closest("a[href]")
      if (link && /^https?:$/.test(link.protocol) && link.host !== location.host)
        tekil.track("Outbound Link Clicked", { host: link.host, path: link.pathname })
    },
    true,
  )
  listen(window, "scroll", deep, { passive: true })

  // Web vitals (web.dev/vitals): once a page load, when the page is first left.
  const vitals = {}
  const shifts = { sum: 0, from: 0, last: 0 }
  const waits = new Map()
  const waited = (e) =>
    e.interactionId && waits.set(e.interactionId, Math.max(waits.get(e.interactionId) || 0, e.duration))
  const watch = (type, each, more) =>
    quietly(() => new PerformanceObserver((list) => list.getEntries().forEach(each)).observe({ type, buffered: true, ...more }))
  if (data.vitals !== "off") {
    watch("paint", (e) => e.name === "first-contentful-paint" && (vitals.fcp = e.startTime))
    watch("largest-contentful-paint", (e) => (vitals.lcp = e.startTime))
    watch("layout-shift", (e) => {
      // The worst window of at most 5 s, whose shifts lie less than 1 s apart.
      if (e.hadRecentInput) return
      const t = e.startTime
      if (t - shifts.last > 1e3 || t - shifts.from > 5e3) Object.assign(shifts, { sum: 0, from: t })
      shifts.sum += e.value
      shifts.last = t
      vitals.cls = Math.max(vitals.cls || 0, shifts.sum)
    })
    watch("event", waited, { durationThreshold: 40 })
    watch("first-input", waited)
    // Interactive: the end of the last long task that is followed by five seconds without one.
    watch("longtask", (e) => {
      const last = vitals.tti || vitals.fcp || 0
      if (e.startTime - last < 5e3) vitals.tti = e.startTime + e.duration
    })
  }
  const measure = () => {
    const load = performance.getEntriesByType("navigation")[0]
    if (data.vitals === "off" || !load || vitals.done) return
    vitals.done = 1
    // The worst, but for one of every fifty.
    const longest = [...waits.values()].sort((a, b) => b - a)
    const ms = (value) => (value === undefined ? undefined : Math.round(value))
    tekil.track("Web Vitals Measured", {
      ttfb: ms(load.responseStart),
      fcp: ms(vitals.fcp),
      lcp: ms(vitals.lcp),
      inp: ms(longest[Math.floor(longest.length / 50)]),
      cls: Math.round((vitals.cls || 0) * 1e4) / 1e4,
      tti: ms(Math.max(vitals.tti || 0, vitals.fcp || 0, load.domContentLoadedEventEnd)),
    })
  }

  listen(document, "visibilitychange", () => {
    if (!document.hidden) return (since = now())
    pause()
    measure()
    leave()
  })
  listen(window, "pagehide", () => {
    abandon()
    goodbye()
    measure()
    leave()
  })
  listen(window, "pageshow", (e) => e.persisted && tekil.page())
  listen(window, "online", flush)

  // A single-page app's pages: another path, however it came about.
  let path = location.pathname
  const moved = () => {
    if (location.pathname === path) return
    path = location.pathname
    abandon()
    goodbye()
    // Once the app has put the title of the new page.
    setTimeout(() => tekil.page())
  }
  let at = location.href
  if (data.spa !== "off") {
    for (const name of ["pushState", "replaceState"]) {
      const real = history[name]
      history[name] = function (...given) {
        const before = location.href
        real.apply(this, given)
        if (location.pathname !== path) referrer = before
        moved()
        at = location.href
      }
    }
    listen(window, "popstate", () => {
      if (location.pathname !== path) referrer = at
      moved()
      at = location.href
    })
  }
  const call = ([name, ...given]) => tekil[name](...given)
  tekil.push = (...calls) => calls.forEach((one) => quietly(() => call(one)))

  window.tekil = tekil
  if (data.page !== "off") tekil.page()
  if (Array.isArray(early)) tekil.push(...early)
})()
