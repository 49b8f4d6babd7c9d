const AUTHORIZATION = /\b(Basic|Bearer)\s+[\w+/=.~-]{6,}/gi;
const SIGNATURE =
  /([?&;][\w.-]*(?:signature|credential|token|secret|password|sig|key|_state)[\w.-]*=)[^&;\s"'<>]+/gi;
// A password may hold anything, also what separates it; a digest stands behind an @, too.
const LOGIN = /(^|\/\/|\s)[^\s/]*:\S*@(?!sha(?:256|512):)/g;
// The patterns look ahead from each character, which is too much for texts without end.
const LONGEST = 2_000;

/** A text that others wrote, without what looks like a login, a token or the signature of an address. */
export function withoutSecrets(text: string): string {
  return text
    .slice(0, LONGEST)
    .replace(AUTHORIZATION, '$1 ***')
    .replace(SIGNATURE, '$1***')
    .replace(LOGIN, '$1***@');
}
