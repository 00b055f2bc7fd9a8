// Points in the plane on a plain canvas: 100,000 of them in a few milliseconds, without WebGL.
//
// The server sends places and colour codes as base64 and hears of hovers, clicks and lassos.
// Pixels are blended here, into one image: a canvas call for each point would take a second.
const ASIDE = 255, UNKNOWN = 254;

function bytes(base64) {
  const text = atob(base64), found = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) found[i] = text.charCodeAt(i);
  return found;
}

function rgb(colour) {
  return [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));
}

// Offsets of a disc's pixels with how much of each it covers.
function disc(radius) {
  const found = [], reach = Math.ceil(radius);
  for (let y = -reach; y <= reach; y++)
    for (let x = -reach; x <= reach; x++) {
      const cover = Math.min(1, Math.max(0, radius + 0.5 - Math.hypot(x, y)));
      if (cover > 0) found.push([x, y, cover]);
    }
  return found;
}

export default {
  template: `<div class="scatter" tabindex="0" role="img" :aria-label="label">
    <canvas ref="points"></canvas><canvas ref="marks"></canvas>
    <div class="scatter-tip" ref="tip" hidden></div></div>`,
  props: { label: String },
  mounted() {
    this.xy = new Float32Array(0);
    this.codes = new Uint8Array(0);
    this.palette = [];
    this.marked = [];
    this.mode = "move";
    this.pointers = new Map();
    this.lasso = null;
    this.centre = [0, 0];
    this.scale = 1;
    this.redraw = 0;
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.$el);
    this.dark = window.matchMedia("(prefers-color-scheme: dark)");
    this.dark.addEventListener("change", this.draw);
    this.classes = new MutationObserver(() => this.draw());
    this.classes.observe(document.body, { attributes: true, attributeFilter: ["class"] });
    const on = (name, handle) => this.$el.addEventListener(name, handle);
    on("wheel", (event) => this.wheel(event));
    on("pointerdown", (event) => this.down(event));
    on("pointermove", (event) => this.move(event));
    on("pointerup", (event) => this.up(event));
    on("pointercancel", (event) => this.up(event));
    on("pointerleave", () => this.leave());
    on("keydown", (event) => this.key(event));
    on("dblclick", () => this.fit());
    this.$el.paint = () => this.paint(); // for whoever measures it
  },
  unmounted() {
    this.observer.disconnect();
    this.classes.disconnect();
    this.dark.removeEventListener("change", this.draw);
  },
  methods: {
    set_points(base64) {
      this.xy = new Float32Array(bytes(base64).buffer);
      this.codes = new Uint8Array(this.xy.length / 2).fill(UNKNOWN);
      this.marked = [];
      this.fit();
    },
    set_colours(base64, palette) {
      this.codes = bytes(base64);
      this.palette = palette.map(rgb);
      this.draw();
    },
    set_marks(rows) {
      this.marked = rows;
      this.drawMarks();
    },
    set_mode(mode) {
      this.mode = mode;
      this.$el.classList.toggle("drawing", mode === "lasso");
    },
    tell(row, text) {
      if (row !== this.hovered) return;
      this.$refs.tip.textContent = text;
      this.$refs.tip.hidden = !text;
    },
    count() {
      return this.xy.length / 2;
    },
    fit() {
      const [low, high] = [[Infinity, Infinity], [-Infinity, -Infinity]];
      for (let i = 0; i < this.xy.length; i++) {
        const axis = i & 1, at = this.xy[i];
        if (at < low[axis]) low[axis] = at;
        if (at > high[axis]) high[axis] = at;
      }
      this.low = low;
      this.high = high;
      this.reset = true;
      this.resize();
    },
    resize() {
      this.ratio = Math.min(window.devicePixelRatio || 1, 2);
      this.width = Math.max(1, Math.round(this.$el.clientWidth * this.ratio));
      this.height = Math.max(1, Math.round(this.$el.clientHeight * this.ratio));
      for (const canvas of [this.$refs.points, this.$refs.marks]) {
        canvas.width = this.width;
        canvas.height = this.height;
      }
      if (this.low && this.low[0] < Infinity && (this.reset || !this.touched)) {
        const span = [0, 1].map((axis) => this.high[axis] - this.low[axis] || 1);
        this.scale = 0.92 * Math.min(this.width / span[0], this.height / span[1]);
        this.centre = [0, 1].map((axis) => (this.high[axis] + this.low[axis]) / 2);
        this.home = this.scale;
        this.reset = this.touched = false;
      }
      this.draw();
    },
    place(x, y) {
      return [
        (x - this.centre[0]) * this.scale + this.width / 2,
        this.height / 2 - (y - this.centre[1]) * this.scale,
      ];
    },
    back(px, py) {
      return [
        (px - this.width / 2) / this.scale + this.centre[0],
        (this.height / 2 - py) / this.scale + this.centre[1],
      ];
    },
    radius() {
      const usual = this.count() > 40000 ? 1.6 : this.count() > 8000 ? 2.1 : 3;
      return usual * this.ratio * Math.min(3, (this.scale / (this.home || 1)) ** 0.35);
    },
    draw() {
      if (!this.redraw) this.redraw = requestAnimationFrame(() => this.paint());
    },
    paint() {
      this.redraw = 0;
      const context = this.$refs.points.getContext("2d");
      const image = context.createImageData(this.width, this.height);
      const dark = document.body.classList.contains("body--dark");
      const aside = dark ? [70, 76, 88] : [214, 217, 222];
      const unknown = dark ? [120, 128, 142] : [160, 167, 178];
      this.stamp(image, ASIDE, aside, 0.35);
      this.stamp(image, UNKNOWN, unknown, 0.5);
      this.stamp(image, null, null, this.count() > 40000 ? 0.75 : 0.85);
      context.putImageData(image, 0, 0);
      this.drawMarks();
    },
    // Blends every point of a code (null: each with a colour of its own) into the image.
    stamp(image, code, colour, opacity) {
      const { data } = image, { width, height, codes, xy, scale } = this;
      const offsets = disc(code === ASIDE ? this.radius() * 0.8 : this.radius());
      const left = width / 2 - this.centre[0] * scale, top = height / 2 + this.centre[1] * scale;
      for (let i = 0; i < codes.length; i++) {
        if (code === null ? codes[i] >= UNKNOWN : codes[i] !== code) continue;
        const px = Math.round(xy[2 * i] * scale + left), py = Math.round(top - xy[2 * i + 1] * scale);
        if (px < -8 || py < -8 || px > width + 8 || py > height + 8) continue;
        const [r, g, b] = colour || this.palette[codes[i]] || [128, 128, 128];
        for (const [dx, dy, cover] of offsets) {
          const x = px + dx, y = py + dy;
          if (x < 0 || y < 0 || x >= width || y >= height) continue;
          const at = 4 * (y * width + x), over = cover * opacity, under = (data[at + 3] / 255) * (1 - over);
          const total = over + under;
          data[at] = (r * over + data[at] * under) / total;
          data[at + 1] = (g * over + data[at + 1] * under) / total;
          data[at + 2] = (b * over + data[at + 2] * under) / total;
          data[at + 3] = 255 * total;
        }
      }
    },
    drawMarks() {
      const context = this.$refs.marks.getContext("2d"), style = getComputedStyle(this.$el);
      context.clearRect(0, 0, this.width, this.height);
      context.lineWidth = 2 * this.ratio;
      context.strokeStyle = style.color;
      const rows = this.hovered == null ? this.marked : [...this.marked, this.hovered];
      for (const row of rows) {
        const [x, y] = this.place(this.xy[2 * row], this.xy[2 * row + 1]);
        context.beginPath();
        context.arc(x, y, this.radius() + 4 * this.ratio, 0, 7);
        context.stroke();
      }
      if (!this.lasso) return;
      context.beginPath();
      for (const [x, y] of this.lasso) context.lineTo(...this.place(x, y));
      context.closePath();
      context.globalAlpha = 0.12;
      context.fillStyle = style.color;
      context.fill();
      context.globalAlpha = 1;
      context.setLineDash([5 * this.ratio, 4 * this.ratio]);
      context.stroke();
      context.setLineDash([]);
    },
    nearest(px, py) {
      const [x, y] = this.back(px, py);
      let best = ((10 * this.ratio) / this.scale) ** 2, found = null;
      for (let i = 0; i < this.codes.length; i++) {
        if (this.codes[i] === ASIDE) continue;
        const dx = this.xy[2 * i] - x, dy = this.xy[2 * i + 1] - y, apart = dx * dx + dy * dy;
        if (apart < best) [best, found] = [apart, i];
      }
      return found;
    },
    at(event) {
      const box = this.$el.getBoundingClientRect();
      return [(event.clientX - box.left) * this.ratio, (event.clientY - box.top) * this.ratio];
    },
    zoom(factor, px = this.width / 2, py = this.height / 2) {
      const [x, y] = this.back(px, py);
      this.scale = Math.min(Math.max(this.scale * factor, this.home / 4), this.home * 400);
      const [nx, ny] = this.back(px, py);
      this.centre = [this.centre[0] + x - nx, this.centre[1] + y - ny];
      this.touched = true;
      this.draw();
    },
    wheel(event) {
      event.preventDefault();
      this.zoom(Math.exp(-event.deltaY / 400), ...this.at(event));
    },
    down(event) {
      this.$el.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, this.at(event));
      this.start = this.at(event);
      this.moved = false;
      if ((this.mode === "lasso" || event.shiftKey) && this.pointers.size === 1)
        this.lasso = [this.back(...this.start)];
      else this.lasso = null;
    },
    move(event) {
      const here = this.at(event), before = this.pointers.get(event.pointerId);
      if (!before) return this.hover(here);
      if (Math.hypot(here[0] - this.start[0], here[1] - this.start[1]) > 4 * this.ratio) this.moved = true;
      const spread = () => {
        const [a, b] = [...this.pointers.values()];
        return Math.hypot(a[0] - b[0], a[1] - b[1]) || 1;
      };
      if (this.pointers.size === 2) {
        const old = spread();
        this.pointers.set(event.pointerId, here);
        const [a, b] = [...this.pointers.values()];
        return this.zoom(spread() / old, (a[0] + b[0]) / 2, (a[1] + b[1]) / 2);
      }
      this.pointers.set(event.pointerId, here);
      if (this.lasso) {
        if (this.lasso.length < 1500) this.lasso.push(this.back(...here));
        return this.drawMarks();
      }
      this.centre = [
        this.centre[0] - (here[0] - before[0]) / this.scale,
        this.centre[1] + (here[1] - before[1]) / this.scale,
      ];
      this.touched = true;
      this.draw();
    },
    up(event) {
      if (!this.pointers.delete(event.pointerId)) return;
      const lasso = this.lasso;
      this.lasso = null;
      if (lasso && this.moved) this.$emit("lasso", { polygon: lasso });
      else if (!this.moved) {
        const row = this.nearest(...this.at(event));
        if (row !== null) this.$emit("pick", { row });
      }
      this.drawMarks();
    },
    hover([px, py]) {
      const row = this.nearest(px, py);
      this.$el.style.cursor = row === null ? "" : "pointer";
      if (row === this.hovered) return;
      this.hovered = row;
      const tip = this.$refs.tip;
      tip.hidden = true;
      this.drawMarks();
      clearTimeout(this.waiting);
      if (row === null) return;
      tip.style.left = `${Math.min(px / this.ratio + 14, this.$el.clientWidth - 190)}px`;
      tip.style.top = `${py / this.ratio + 14}px`;
      this.waiting = setTimeout(() => this.$emit("hover", { row }), 80);
    },
    leave() {
      clearTimeout(this.waiting);
      this.hovered = null;
      this.$refs.tip.hidden = true;
      this.drawMarks();
    },
    key(event) {
      const step = (60 * this.ratio) / this.scale;
      const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
      if (event.key in moves) {
        this.centre = [0, 1].map((axis) => this.centre[axis] + moves[event.key][axis]);
        this.touched = true;
        this.draw();
      } else if (event.key === "+" || event.key === "=") this.zoom(1.4);
      else if (event.key === "-") this.zoom(1 / 1.4);
      else if (event.key === "0") this.fit();
      else return;
      event.preventDefault();
    },
  },
};
