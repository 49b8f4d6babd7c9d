// SVG by hand: numbers in, text out. Colors follow the reader's scheme, light or dark.

/** Told apart in both schemes, also by readers who see colors differently. */
const COLORS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#8f7a00', '#56b4e9'];

const STYLE = `
  svg { font: 12px system-ui, sans-serif; }
  text { fill: #24292f; }
  .quiet { fill: #57606a; }
  .title { font-weight: 600; font-size: 13px; }
  .grid { stroke: #d0d7de; }
  .axis { stroke: #57606a; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .quiet { fill: #9198a1; }
    .grid { stroke: #3d444d; }
    .axis { stroke: #9198a1; }
  }`;

export function colorOf(index: number): string {
  return COLORS[index % COLORS.length] ?? '#808080';
}

export interface TextOptions {
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly className?: 'quiet' | 'title';
}

export function text(x: number, y: number, content: string, options: TextOptions = {}): string {
  const { anchor = 'start', className } = options;
  const kind = className ? ` class="${className}"` : '';
  return `<text x="${short(x)}" y="${short(y)}" text-anchor="${anchor}"${kind}>${escaped(content)}</text>`;
}

export function line(
  from: readonly [x: number, y: number],
  to: readonly [x: number, y: number],
  className: 'grid' | 'axis',
): string {
  const [x1, y1] = from.map(short);
  const [x2, y2] = to.map(short);
  return `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" class="${className}"/>`;
}

export function bar(
  x: number,
  y: number,
  size: readonly [width: number, height: number],
  color: string,
): string {
  const [width, height] = size.map(short);
  return `<rect x="${short(x)}" y="${short(y)}" width="${width}" height="${height}" fill="${color}"/>`;
}

/** A line through points, with a dot at each. */
export function curve(
  points: readonly (readonly [x: number, y: number])[],
  color: string,
  isDashed: boolean,
): string {
  const path = points.map(([x, y]) => `${short(x)},${short(y)}`).join(' ');
  const dashes = isDashed ? ' stroke-dasharray="4 3"' : '';
  const dots = points.map(
    ([x, y]) => `<circle cx="${short(x)}" cy="${short(y)}" r="2.5" fill="${color}"/>`,
  );
  return `<polyline points="${path}" fill="none" stroke="${color}" stroke-width="1.8"${dashes}/>${dots.join('')}`;
}

export function drawing(
  size: readonly [width: number, height: number],
  title: string,
  parts: readonly string[],
): string {
  const [width, height] = size.map(short);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<style>${STYLE}</style>`,
    ...parts,
    '</svg>\n',
  ].join('\n');
}

/** A tenth of a pixel is enough, and keeps the file from changing with every digit. */
function short(value: number): string {
  return `${Math.round(value * 10) / 10}`;
}

function escaped(content: string): string {
  return content.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
