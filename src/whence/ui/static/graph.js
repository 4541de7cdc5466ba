// A large graph on a canvas: one element however many nodes, so that panning and zooming cost no layout. Places come from
// the server. What can't be read at a scale isn't drawn; the list below the picture has the same links for everybody.
const READABLE = 0.55;
const [MOST_MOVING_LINES, REST_MS] = [600, 200];
const [NEAREST, FARTHEST] = [2.5, 0.02];
const COLOURS = ["ink", "dim", "line", "card", "bad", "against", "code", "model", "data"];
const PAN = { ArrowLeft: [80, 0], ArrowRight: [-80, 0], ArrowUp: [0, 80], ArrowDown: [0, -80] };

/** Colours as the stylesheet resolves them, light or dark. */
function palette(element) {
  const found = {};
  for (const name of COLOURS) {
    element.style.color = `var(--${name})`;
    found[name] = getComputedStyle(element).color;
  }
  element.style.color = "";
  return found;
}

class Graph {
  constructor(canvas, picture) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false });
    this.picture = picture;
    [this.edges, this.added] = [new Path2D(), new Path2D()];
    for (const line of picture.lines) (line.added ? this.added : this.edges).addPath(new Path2D(line.path));
    this.colours = palette(canvas);
    [this.isWaiting, this.isDrawn] = [false, false];
  }

  /** The whole picture, centred. */
  fit() {
    const { width, height } = this.picture;
    this.scale = Math.max(FARTHEST, Math.min(1, this.width / width, this.height / height));
    this.x = (this.width - width * this.scale) / 2;
    this.y = (this.height - height * this.scale) / 2;
    this.ask();
  }

  resize() {
    const dots = window.devicePixelRatio || 1;
    const { width, height } = this.canvas.getBoundingClientRect();
    Object.assign(this, { width, height, dots });
    this.canvas.width = Math.round(width * dots);
    this.canvas.height = Math.round(height * dots);
    this.ask();
  }

  move(dx, dy) {
    this.x += dx;
    this.y += dy;
    this.ask();
  }

  /** Zoom so that what lies at a place of the canvas stays there. */
  zoom(factor, x = this.width / 2, y = this.height / 2) {
    const scale = Math.min(NEAREST, Math.max(FARTHEST, this.scale * factor));
    this.x = x - ((x - this.x) * scale) / this.scale;
    this.y = y - ((y - this.y) * scale) / this.scale;
    this.scale = scale;
    this.ask();
  }

  /** The node at a place of the canvas. */
  at(x, y) {
    const [wx, wy] = [(x - this.x) / this.scale, (y - this.y) / this.scale];
    return this.picture.boxes.find((box) => wx >= box.x && wx <= box.x + box.width && wy >= box.y && wy <= box.y + box.height);
  }

  /** Draw at the next frame, once, however often it is asked. Many lines cost most: they come back when it rests. */
  ask() {
    clearTimeout(this.rest);
    const isMoving = this.picture.lines.length > MOST_MOVING_LINES && this.isDrawn;
    if (isMoving) this.rest = setTimeout(() => requestAnimationFrame(() => this.draw(false)), REST_MS);
    if (this.isWaiting) return;
    this.isWaiting = true;
    requestAnimationFrame(() => {
      this.isWaiting = false;
      this.isDrawn = true;
      this.draw(isMoving);
    });
  }

  draw(isMoving) {
    const { context, colours, scale, dots } = this;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = colours.card;
    context.fillRect(0, 0, this.canvas.width, this.canvas.height);
    context.setTransform(scale * dots, 0, 0, scale * dots, this.x * dots, this.y * dots);
    if (!isMoving) {
      this.stroke(this.edges, colours.line, 1);
      this.stroke(this.added, colours.against, 2.5);
    }
    for (const box of this.picture.boxes) if (this.isSeen(box)) this.box(box);
  }

  stroke(path, colour, width) {
    this.context.strokeStyle = colour;
    this.context.lineWidth = Math.max(width, 0.5 / this.scale);
    this.context.stroke(path);
  }

  isSeen(box) {
    const [left, top] = [box.x * this.scale + this.x, box.y * this.scale + this.y];
    return left < this.width && top < this.height && left + box.width * this.scale > 0 && top + box.height * this.scale > 0;
  }

  box(box) {
    const { context, colours } = this;
    const isMarked = ["symptom", "changed", "added"].includes(box.role);
    const edge = box.role === "symptom" ? colours.bad : colours[box.pillar];
    if (this.scale < READABLE) {
      context.fillStyle = edge;
      context.fillRect(box.x, box.y, box.width, box.height);
      return;
    }
    context.fillStyle = colours.card;
    context.fillRect(box.x, box.y, box.width, box.height);
    context.strokeStyle = edge;
    context.lineWidth = isMarked ? 3 : 1.5;
    context.strokeRect(box.x, box.y, box.width, box.height);
    this.text(box.title, box.x + 10, box.y + 17, colours.ink, 12);
    this.text(box.detail, box.x + 10, box.y + 32, box.role === "changed" ? colours.bad : colours.dim, 11);
  }

  text(text, x, y, colour, size) {
    this.context.font = `${size}px system-ui, sans-serif`;
    this.context.fillStyle = colour;
    this.context.fillText(text, x, y);
  }
}

/** Drag, wheel and keys; a click that did not drag follows the node. */
function listen(canvas, graph) {
  let from = null;
  let dragged = 0;
  canvas.addEventListener("pointerdown", (event) => {
    from = event;
    dragged = 0;
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    canvas.title = from ? "" : graph.at(event.offsetX, event.offsetY)?.key ?? "";
    if (!from) return;
    dragged += Math.abs(event.clientX - from.clientX) + Math.abs(event.clientY - from.clientY);
    graph.move(event.clientX - from.clientX, event.clientY - from.clientY);
    from = event;
  });
  for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => (from = null));
  canvas.addEventListener("click", (event) => {
    const box = dragged < 5 ? graph.at(event.offsetX, event.offsetY) : undefined;
    if (box) location.assign(`/explore?entity=${encodeURIComponent(box.key)}`);
  });
  const wheel = (event) => {
    event.preventDefault();
    graph.zoom(Math.exp(-event.deltaY / 500), event.offsetX, event.offsetY);
  };
  canvas.addEventListener("wheel", wheel, { passive: false });
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (PAN[event.key]) graph.move(...PAN[event.key]);
    else if (event.key === "+" || event.key === "=") graph.zoom(1.25);
    else if (event.key === "-") graph.zoom(0.8);
    else if (event.key === "0") graph.fit();
    else return;
    event.preventDefault();
  });
}

for (const canvas of document.querySelectorAll("canvas.graph")) {
  const graph = new Graph(canvas, JSON.parse(document.getElementById(canvas.dataset.picture).textContent));
  listen(canvas, graph);
  graph.resize();
  graph.fit();
  new ResizeObserver(() => graph.resize()).observe(canvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    graph.colours = palette(canvas);
    graph.ask();
  });
}
