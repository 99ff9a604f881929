// All that pages do beyond HTML: live numbers, local time, copying, and the key "/" for the search. Pages work without it.
"use strict";

const pad = (number) => String(number).padStart(2, "0");

/** Show times in the reader's time zone, in the same form and width as the server wrote them; UTC stays in the tooltip. */
function showLocalTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]:not([data-fixed])")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    const day = `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`;
    const clock = `${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;
    time.textContent = time.dataset.only === "clock" ? clock : `${day} ${clock}`;
  }
}

/** Name the reader's time zone where the page names UTC. */
function nameZone() {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  for (const place of document.querySelectorAll("[data-zone]")) place.textContent = zone;
}

/** Ask for the page once more, and put those parts of it in place whose rows have changed. */
async function renew() {
  const isOld = (part) => part.dataset.version !== wanted.get(part.dataset.part);
  const old = [...document.querySelectorAll("[data-part]")].filter((part) => wanted.has(part.dataset.part) && isOld(part));
  if (!old.length || document.hidden) return;
  const answer = await fetch(location.href, { headers: { accept: "text/html" } });
  if (!answer.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of old) {
    const fresh = page.querySelector(`[data-part="${CSS.escape(part.dataset.part)}"]`);
    if (!fresh || part.contains(document.activeElement)) continue;
    showLocalTimes(fresh);
    const put = document.importNode(fresh, true);
    const scrolled = [...part.querySelectorAll(SCROLLING)].map((one) => one.scrollLeft);
    part.replaceWith(put);
    put.querySelectorAll(SCROLLING).forEach((one, place) => { one.scrollLeft = scrolled[place] ?? 0; });
  }
}

const SCROLLING = ".graph, .scroll";
const DRAWN = { path: "d", stroke: "stroke-width", width: "width" };
const wanted = new Map();
let renewing = null;

/** Put new values where they belong; they are text, or attributes of what is drawn, never markup. */
function update(values) {
  for (const [key, value] of Object.entries(values)) {
    if (key.startsWith("part.")) wanted.set(key.slice(5), value);
    for (const place of document.querySelectorAll(`[data-live="${CSS.escape(key)}"]`)) place.textContent = value;
    for (const [name, attribute] of Object.entries(DRAWN)) {
      for (const shape of document.querySelectorAll(`[data-${name}="${CSS.escape(key)}"]`)) shape.setAttribute(attribute, value);
    }
  }
  renewing ??= setTimeout(() => renew().catch(() => {}).finally(() => { renewing = null; }), 2000);
}

/** Follow the page's one stream of values while it is looked at. */
function follow() {
  const sign = document.querySelector(".live");
  const address = sign?.dataset.from;
  if (!address) return;
  let stream = null;
  const say = (state, text) => {
    sign.dataset.state = state;
    sign.textContent = text;
  };
  const open = () => {
    stream = new EventSource(address);
    stream.onopen = () => say("on", "live");
    stream.onmessage = (message) => update(JSON.parse(message.data));
    stream.onerror = () => say("off", stream.readyState === EventSource.CLOSED ? "not live" : "reconnecting");
  };
  const close = () => {
    stream?.close();
    stream = null;
    say("off", "resting");
  };
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : stream ?? open()));
  addEventListener("pagehide", close);
  open();
}

/** Copy what a button names; such buttons are shown only where copying works. */
function offerCopies() {
  if (!navigator.clipboard) return;
  for (const button of document.querySelectorAll("button[data-copy]")) {
    button.hidden = false;
    const said = button.textContent;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy || location.href);
      button.textContent = "copied";
      setTimeout(() => { button.textContent = said; }, 1500);
    });
  }
}

/** Send a filter as soon as a choice is made. */
function sendFilters() {
  for (const form of document.querySelectorAll("form.filters")) {
    for (const choice of form.querySelectorAll("select")) choice.addEventListener("change", () => form.requestSubmit());
  }
}

/** Let a chosen file fill the text that it is meant for. */
function readFiles() {
  for (const input of document.querySelectorAll("input[type=file][data-into]")) {
    input.addEventListener("change", async () => {
      const file = input.files[0];
      if (file) document.getElementById(input.dataset.into).value = await file.text();
    });
  }
}

document.addEventListener("keydown", (event) => {
  const busy = event.target.closest("input, textarea, select");
  if (event.key !== "/" || busy || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  document.getElementById("search")?.focus();
});

for (const graph of document.querySelectorAll(".graph")) graph.scrollLeft = (graph.scrollWidth - graph.clientWidth) / 2;
showLocalTimes(document);
nameZone();
follow();
offerCopies();
sendFilters();
readFiles();
