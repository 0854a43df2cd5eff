// The page of a live decoder: one websocket in, text, numbers and the newest seconds of signal out.
const SOCKET = "/socket";
const RETRY_MS = [500, 1000, 2000, 4000, 8000];
const WAITING_MS = 2000;
const GUTTER = 26; // css pixels left of the lanes, for the numbers of the electrodes
const NARROW = 420;
const CLIP = 1.5; // a stroke may reach half into the next lane
const STEPS = [1, 1.5, 2, 3, 5, 7];

const at = (id) => document.getElementById(id);
let token = document.querySelector('meta[name="token"]').content;
let about = null; // what the server says of the decoder; null before the first message
let ring = null; // the newest columns: minimum and maximum of each electrode
let tries = 0;
let ended = false;
let paused = false;
let asked = false; // a drawing is asked for
let heard = 0; // when the last news came
let panels = [];

function status(state, words) {
  const place = at("status");
  if (place.dataset.state !== state || place.textContent !== words) {
    place.dataset.state = state;
    place.textContent = words;
  }
  document.title = `${words} · semgjax`;
}

function connect() {
  const socket = new WebSocket(`ws://${location.host}${SOCKET}?token=${token}`);
  socket.binaryType = "arraybuffer";
  socket.onmessage = (message) => {
    heard = performance.now();
    if (message.data instanceof ArrayBuffer) {
      takeColumns(message.data);
      return;
    }
    const news = JSON.parse(message.data);
    if (news.kind === "about") begin(news);
    if (news.kind === "state") takeState(news);
    if ("token" in news) keepToken(news.token);
  };
  socket.onclose = () => {
    if (ended) return;
    if (tries < RETRY_MS.length) {
      status("lost", "reconnecting");
      setTimeout(connect, RETRY_MS[tries]);
      tries += 1;
    } else {
      status("lost", "disconnected");
    }
  };
}

// The address bar holds an address that nobody has used: it reloads this page, or opens another one.
function keepToken(fresh) {
  token = fresh;
  history.replaceState(null, "", `/?token=${fresh}`);
}

function begin(news) {
  about = news;
  tries = 0;
  at("committed").replaceChildren();
  at("tentative").replaceChildren();
  at("decoder").textContent = about.decoder;
  at("source").textContent = `${about.source} · ${about.band}`;
  const electrodes = about.rings.reduce((sum, one) => sum + one.electrodes, 0);
  ring = { next: 0, electrodes, values: new Float32Array(about.columns * electrodes * 2).fill(NaN) };
  let from = 0;
  at("rings").replaceChildren();
  panels = about.rings.map((one, number) => {
    const panel = makePanel(one, number, from);
    from += one.electrodes;
    return panel;
  });
  at("axis").textContent = `The last ${about.seconds} s, newest at the right; a line every second.`;
  status("waiting", "waiting for signal");
  draw();
}

function label(words) {
  const span = document.createElement("span");
  span.textContent = words;
  return span;
}

function makePanel(one, number, from) {
  const figure = document.createElement("figure");
  const caption = document.createElement("figcaption");
  const name = document.createElement("b");
  name.textContent = one.name ? one.name[0].toUpperCase() + one.name.slice(1) : "Band";
  const what = document.createElement("span");
  what.append(name, ` ${one.electrodes} electrode${one.electrodes === 1 ? "" : "s"}`);
  const scale = document.createElement("span");
  caption.append(what, scale);
  const canvas = document.createElement("canvas");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `Signal of ${one.electrodes} electrodes, ${one.name || "band"}`);
  figure.append(caption, canvas);
  at("rings").append(figure);
  new ResizeObserver(() => ask(true)).observe(figure);
  return { canvas, scale, from, count: one.electrodes, colour: `--ring-${number % 4}`, reach: 0 };
}

// --- text and numbers

// Keys that type no character stand as their signs, in another colour; after Enter a new line begins.
function append(place, text) {
  for (const part of text.split(/([\u232b\u23ce\u21e7])/)) {
    if (!part) continue;
    if (/^[\u232b\u23ce\u21e7]$/.test(part)) {
      const key = label(part);
      key.className = "key";
      place.append(key);
      if (part === "\u23ce") place.append(document.createElement("br"));
    } else if (place.lastChild instanceof Text) {
      place.lastChild.appendData(part);
    } else {
      place.append(part);
    }
  }
}

function takeState(news) {
  const box = at("text");
  const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 40;
  append(at("committed"), news.committed);
  if (at("tentative").textContent !== news.tentative) {
    at("tentative").replaceChildren();
    append(at("tentative"), news.tentative);
    at("open-key").hidden = false; // a greedy decoder has no need of it
  }
  if (atEnd) box.scrollTop = box.scrollHeight;
  at("time").textContent = clock(news.seconds);
  at("latency").textContent = milliseconds(news.latency_ms);
  at("latency-high").textContent =
    news.latency_high_ms === null ? "sample to text" : `99 % < ${milliseconds(news.latency_high_ms)}`;
  at("dropped").textContent = news.dropped.toLocaleString("en");
  at("lost").classList.toggle("some", news.dropped > 0);
  if (news.ended !== null) {
    ended = true;
    at("caret").hidden = true;
    status("ended", news.ended);
  } else {
    status("live", "live");
  }
}

function clock(seconds) {
  const minutes = Math.floor(seconds / 60);
  return `${minutes}:${(seconds - 60 * minutes).toFixed(1).padStart(4, "0")}`;
}

function milliseconds(value) {
  if (value === null) return "–";
  if (value >= 10000) return `${(value / 1000).toFixed(1)} s`;
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}

// --- signal

function takeColumns(buffer) {
  const first = new DataView(buffer).getUint32(0, true);
  const values = new Float32Array(buffer, 4);
  const width = ring.electrodes * 2;
  // Columns that never came, because this browser was too slow, stay empty.
  for (let missing = Math.max(ring.next, first - about.columns); missing < first; missing += 1) {
    ring.values.fill(NaN, slot(missing) * width, (slot(missing) + 1) * width);
  }
  const count = values.length / width;
  for (let column = 0; column < count; column += 1) {
    ring.values.set(values.subarray(column * width, (column + 1) * width), slot(first + column) * width);
  }
  ring.next = first + count;
  ask();
}

const slot = (column) => column % about.columns;

function ask(always = false) {
  if (asked || about === null || (paused && !always)) return;
  asked = true;
  requestAnimationFrame(() => {
    asked = false;
    draw();
  });
}

function draw() {
  const style = getComputedStyle(document.documentElement);
  for (const panel of panels) drawPanel(panel, style);
}

function drawPanel(panel, style) {
  const width = panel.canvas.clientWidth;
  if (!width) return;
  const lane = Math.min(48, Math.max(11, (width < NARROW ? 232 : 330) / panel.count));
  const height = Math.round(lane * panel.count + 8);
  const dots = window.devicePixelRatio || 1;
  if (panel.canvas.width !== Math.round(width * dots) || panel.canvas.height !== Math.round(height * dots)) {
    panel.canvas.width = Math.round(width * dots);
    panel.canvas.height = Math.round(height * dots);
    panel.canvas.style.height = `${height}px`;
  }
  const pen = panel.canvas.getContext("2d");
  pen.setTransform(dots, 0, 0, dots, 0, 0);
  pen.clearRect(0, 0, width, height);
  const room = width - GUTTER;
  const each = room / about.columns;
  // As many columns to a stroke as share a pixel, counted from the first of all, so that nothing flickers as it moves.
  const joined = Math.max(1, Math.ceil(about.columns / (room * dots)));
  const first = Math.max(0, ring.next - about.columns);
  const x = (column) => GUTTER + (column - ring.next + about.columns) * each;
  drawSeconds(pen, first, x, height, style.getPropertyValue("--line"));
  drawGaps(pen, panel, first, x, each, height, style.getPropertyValue("--gap"));
  const middles = middlesOf(panel, first);
  fit(panel, first, middles);
  pen.lineWidth = Math.max(1 / dots, 0.8);
  pen.lineJoin = "bevel";
  pen.font = `${Math.min(11, lane)}px system-ui, sans-serif`;
  pen.textAlign = "right";
  pen.textBaseline = "middle";
  const every = lane >= 11 ? 1 : 2;
  for (let electrode = 0; electrode < panel.count; electrode += 1) {
    const middle = 4 + (electrode + 0.5) * lane;
    if (electrode % every === 0) {
      pen.fillStyle = style.getPropertyValue("--soft");
      pen.fillText(String(electrode + 1), GUTTER - 6, middle);
    }
    pen.strokeStyle = style.getPropertyValue(panel.colour);
    pen.beginPath();
    let on = false;
    for (let group = Math.floor(first / joined); group * joined < ring.next; group += 1) {
      let low = Infinity;
      let high = -Infinity;
      const stop = Math.min(ring.next, (group + 1) * joined);
      for (let column = Math.max(first, group * joined); column < stop; column += 1) {
        const place = (slot(column) * ring.electrodes + panel.from + electrode) * 2;
        if (ring.values[place] < low) low = ring.values[place];
        if (ring.values[place + 1] > high) high = ring.values[place + 1];
      }
      if (high < low) {
        on = false;
        continue;
      }
      const across = x(group * joined + joined / 2);
      const y = (value) => {
        const share = (value - middles[electrode]) / panel.reach;
        return middle - Math.max(-CLIP, Math.min(CLIP, share)) * lane * 0.5;
      };
      if (on) pen.lineTo(across, y(low));
      else pen.moveTo(across, y(low));
      pen.lineTo(across, y(high));
      on = true;
    }
    pen.stroke();
  }
}

function drawSeconds(pen, first, x, height, colour) {
  const second = about.columns / about.seconds;
  pen.fillStyle = colour;
  for (let count = Math.ceil(first / second); count * second < ring.next; count += 1) {
    pen.fillRect(Math.round(x(count * second)), 0, 1, height);
  }
}

// Where samples were lost, of all electrodes of the ring at once.
function drawGaps(pen, panel, first, x, each, height, colour) {
  pen.fillStyle = colour;
  for (let column = first; column < ring.next; column += 1) {
    const place = (slot(column) * ring.electrodes + panel.from) * 2;
    if (Number.isNaN(ring.values[place])) pen.fillRect(x(column), 0, each + 0.5, height);
  }
}

// The level that each electrode rests at.
function middlesOf(panel, first) {
  const middles = new Float32Array(panel.count);
  for (let electrode = 0; electrode < panel.count; electrode += 1) {
    let sum = 0;
    let count = 0;
    for (let column = first; column < ring.next; column += 1) {
      const place = (slot(column) * ring.electrodes + panel.from + electrode) * 2;
      if (Number.isNaN(ring.values[place])) continue;
      sum += (ring.values[place] + ring.values[place + 1]) / 2;
      count += 1;
    }
    middles[electrode] = count ? sum / count : 0;
  }
  return middles;
}

// One scale for all electrodes of a ring, in round steps: it grows at once and shrinks late, so it seldom moves.
function fit(panel, first, middles) {
  const found = [];
  for (let column = first; column < ring.next; column += 1) {
    let most = 0;
    for (let electrode = 0; electrode < panel.count; electrode += 1) {
      const place = (slot(column) * ring.electrodes + panel.from + electrode) * 2;
      most = Math.max(most, ring.values[place + 1] - middles[electrode], middles[electrode] - ring.values[place]);
    }
    if (most > 0) found.push(most);
  }
  if (!found.length) {
    panel.reach ||= 1;
    return;
  }
  found.sort((one, other) => one - other);
  const wanted = found[Math.floor(0.9 * (found.length - 1))];
  if (wanted > panel.reach || wanted < 0.3 * panel.reach) panel.reach = step(wanted);
  panel.scale.textContent = `lane ±${Number(panel.reach.toPrecision(3))} ${about.unit}`;
}

function step(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  const factor = STEPS.find((one) => one * power >= value);
  return factor === undefined ? 10 * power : factor * power;
}

at("pause").onclick = () => {
  paused = !paused;
  at("pause").textContent = paused ? "Resume" : "Pause";
  at("pause").setAttribute("aria-pressed", String(paused));
  ask();
};
at("copy").onclick = async () => {
  await navigator.clipboard.writeText(at("committed").textContent + at("tentative").textContent);
  at("copy").textContent = "Copied";
  setTimeout(() => (at("copy").textContent = "Copy"), 1500);
};
matchMedia("(prefers-color-scheme: dark)").onchange = () => ask(true);
setInterval(() => {
  if (at("status").dataset.state === "live" && performance.now() - heard > WAITING_MS) {
    status("waiting", "waiting for signal");
  }
}, 500);
connect();
