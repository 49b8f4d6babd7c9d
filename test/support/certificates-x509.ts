import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

/** A certificate in DER with the key that belongs to it. */
export interface Certified {
  readonly name: string;
  readonly certificate: Uint8Array;
  readonly key: KeyObject;
}

export interface CertificateRequest {
  readonly name: string;
  /** who signs; a certificate without issuer signs itself and is an authority */
  readonly issuer?: Certified;
  readonly hosts?: readonly string[];
  /** 4 or 16 bytes each */
  readonly addresses?: readonly Uint8Array[];
}

const DAY_MS = 24 * 60 * 60 * 1000;
const ECDSA_WITH_SHA256 = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const COMMON_NAME = [0x55, 0x04, 0x03];
const BASIC_CONSTRAINTS = [0x55, 0x1d, 0x13];
const KEY_USAGE = [0x55, 0x1d, 0x0f];
const TRUE = Buffer.of(0x01, 0x01, 0xff);
const SUBJECT_ALTERNATIVE_NAME = [0x55, 0x1d, 0x11];

/**
 * Makes a P-256 key and a certificate for it that is valid from yesterday for thirty days.
 *
 * @see https://www.rfc-editor.org/rfc/rfc5280#section-4.1
 */
export function certify(request: CertificateRequest): Certified {
  const { name, issuer } = request;
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = sequence(objectIdentifier(ECDSA_WITH_SHA256));
  const now = Date.now();
  const body = sequence(
    encode(0xa0, encode(0x02, Buffer.of(2))),
    encode(0x02, Buffer.concat([Buffer.of(1), randomBytes(15)])),
    algorithm,
    distinguishedName(issuer?.name ?? name),
    sequence(time(now - DAY_MS), time(now + 30 * DAY_MS)),
    distinguishedName(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    encode(0xa3, sequence(...extensionsOf(request))),
  );
  const signature = sign('sha256', body, issuer?.key ?? privateKey);
  return { name, key: privateKey, certificate: sequence(body, algorithm, bits(0, signature)) };
}

export function pem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

function extensionsOf(request: CertificateRequest): readonly Uint8Array[] {
  const isAuthority = request.issuer === undefined;
  // keyCertSign and cRLSign for an authority, digitalSignature for the others.
  const usage = isAuthority ? bits(1, Buffer.of(0x06)) : bits(7, Buffer.of(0x80));
  const names = [
    ...(request.hosts ?? []).map((host) => encode(0x82, Buffer.from(host, 'ascii'))),
    ...(request.addresses ?? []).map((address) => encode(0x87, address)),
  ];
  return [
    extension(BASIC_CONSTRAINTS, isAuthority ? sequence(TRUE) : sequence(), TRUE),
    extension(KEY_USAGE, usage, TRUE),
    ...(names.length > 0 ? [extension(SUBJECT_ALTERNATIVE_NAME, sequence(...names))] : []),
  ];
}

function extension(
  identifier: readonly number[],
  value: Uint8Array,
  critical: Uint8Array = Buffer.of(),
): Uint8Array {
  return sequence(objectIdentifier(identifier), critical, encode(0x04, value));
}

function distinguishedName(name: string): Uint8Array {
  const attribute = sequence(objectIdentifier(COMMON_NAME), encode(0x0c, Buffer.from(name)));
  return sequence(encode(0x31, attribute));
}

function time(milliseconds: number): Uint8Array {
  const digits = new Date(milliseconds).toISOString().replace(/[-:T]|\.\d+/g, '');
  return encode(0x18, Buffer.from(digits, 'ascii'));
}

function bits(unused: number, value: Uint8Array): Uint8Array {
  return encode(0x03, Buffer.concat([Buffer.of(unused), value]));
}

function objectIdentifier(identifier: readonly number[]): Uint8Array {
  return encode(0x06, Buffer.from(identifier));
}

function sequence(...parts: readonly Uint8Array[]): Uint8Array {
  return encode(0x30, Buffer.concat(parts));
}

/** One DER value: tag, length, content. */
function encode(tag: number, content: Uint8Array): Uint8Array {
  const { length } = content;
  const head =
    length < 0x80
      ? [tag, length]
      : length < 0x100
        ? [tag, 0x81, length]
        : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}
