import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { column, fitEnd, fitReference, widthOf } from '../../src/progress/width.ts';

const text = () => fc.string({ unit: 'grapheme', maxLength: 60 });
const width = () => fc.nat(40);

test('Wide characters take two columns and marks take none', () => {
  const widths = [
    'nginx',
    '无权限',
    'ｎ',
    'こんにちは',
    '한국',
    '🚀',
    'é',
    'e\u0301',
    '\u200b',
    '',
  ];

  assert.deepEqual(widths.map(widthOf), [5, 6, 2, 10, 4, 2, 1, 1, 0, 0]);
});

test('A text that fits stays as it is', () => {
  fc.assert(
    fc.property(text(), (whole) => {
      const room = widthOf(whole);

      assert.equal(fitEnd(whole, room), whole);
    }),
  );
});

test('No fitted text is wider than it may be', () => {
  fc.assert(
    fc.property(text(), width(), (whole, room) => {
      for (const fit of [fitEnd, fitReference])
        assert.ok(widthOf(fit(whole, room)) <= room, `${fit.name} of ${JSON.stringify(whole)}`);
    }),
  );
});

test('A text is cut at its end', () => {
  const cut = [fitEnd('permission denied', 8), fitEnd('无权限', 4)];

  assert.deepEqual(cut, ['permiss…', '无…']);
});

test('Where there is no room nothing is left', () => {
  assert.deepEqual(
    [fitEnd('nginx', 0), fitEnd('nginx', 1), fitReference('nginx', 0)],
    ['', '…', ''],
  );
});

test('A reference keeps its name and tag, and is cut at a slash', () => {
  const reference = 'quay.io/prometheus/node-exporter:v1.8.2';

  const cut = [39, 32, 30, 20].map((room) => fitReference(reference, room));

  assert.deepEqual(cut, [
    reference,
    'quay.io/pr…/node-exporter:v1.8.2',
    'quay.io/…/node-exporter:v1.8.2',
    'quay…exporter:v1.8.2',
  ]);
});

test('A digest is shortened before anything else is', () => {
  const digest = `sha256:41972110a1c1${'0'.repeat(52)}`;

  const cut = [120, 50, 34, 24].map((room) =>
    fitReference(`gcr.io/distroless/static@${digest}`, room),
  );

  assert.deepEqual(cut, [
    `gcr.io/distroless/static@${digest}`,
    'gcr.io/distroless/static@sha256:41972110a1c1',
    'gc…/distroless/static@41972110a1c1',
    'gcr…/static@41972110a1c1',
  ]);
});

test('A column is always exactly as wide as it is said to be', () => {
  fc.assert(
    fc.property(text(), width(), (whole, room) => {
      const filled = column(whole, room);

      assert.equal(widthOf(filled), room);
    }),
  );
});
