const ELLIPSIS = '…';
const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });

// Wide and fullwidth of Unicode's East Asian Width, by script; emoji are drawn two columns wide as well.
const WIDE =
  /\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|\p{Script=Yi}|\p{Script=Bopomofo}|\p{Emoji_Presentation}|[\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]|\ufe0f/u;
// Nearly every text here is one, and is measured ten times a second in each lane.
const ASCII = /^[ -~]*$/;
const DIGEST = /@(sha\d+):([0-9a-f]{12})[0-9a-f]*$/;
const INVISIBLE = /^[\p{Mark}\p{Format}\p{Control}]+$/u;

/** How many columns a terminal needs for a text without control sequences. */
export function widthOf(text: string): number {
  if (ASCII.test(text)) return text.length;
  return graphemes(text).reduce((width, grapheme) => width + columnsOf(grapheme), 0);
}

/** Cuts the end off a text that is wider than `width` columns. */
export function fitEnd(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  if (width < 1) return '';
  return take(graphemes(text), width - 1).join('') + ELLIPSIS;
}

/**
 * Cuts a reference that is wider than `width` columns, at a slash where one is near. More is kept of its
 * end than of its beginning: a host can be guessed, a name and a tag cannot. Digests lose their tails first.
 */
export function fitReference(reference: string, width: number): string {
  const candidates = [
    reference,
    reference.replace(DIGEST, '@$1:$2'),
    reference.replace(DIGEST, '@$2'),
  ];
  const short =
    candidates.find((candidate) => widthOf(candidate) <= width) ?? candidates.at(-1) ?? '';
  if (widthOf(short) <= width) return short;
  const slash = short.indexOf('/', short.length - width + 1);
  const kept = short.length - slash;
  const end = slash >= 0 && kept >= width * 0.6 ? kept : Math.ceil((width - 1) * 0.75);
  return cut(short, width, width - 1 - end);
}

/** Fits a text and fills it up to exactly `width` columns. */
export function column(text: string, width: number, fit = fitEnd): string {
  const fitted = fit(text, width);
  return fitted + ' '.repeat(Math.max(0, width - widthOf(fitted)));
}

function cut(text: string, width: number, beginning: number): string {
  if (width < 1) return '';
  const parts = graphemes(text);
  const head = take(parts, Math.max(0, beginning));
  const room = width - 1 - widthOf(head.join(''));
  const tail = take(parts.toReversed(), room).toReversed();
  return head.join('') + ELLIPSIS + tail.join('');
}

function take(parts: readonly string[], width: number): readonly string[] {
  let used = 0;
  const end = parts.findIndex((part) => {
    used += columnsOf(part);
    return used > width;
  });
  return end < 0 ? parts : parts.slice(0, end);
}

function graphemes(text: string): readonly string[] {
  if (ASCII.test(text)) return text.split('');
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

function columnsOf(grapheme: string): number {
  if (INVISIBLE.test(grapheme)) return 0;
  return WIDE.test(grapheme) ? 2 : 1;
}
