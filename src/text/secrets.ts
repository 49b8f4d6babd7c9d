const AUTHORIZATION = /\b(Basic|Bearer)\s+[\w+/=.~-]{6,}/gi;
const SIGNATURE =
  /([?&;][\w.-]*(?:signature|credential|token|secret|password|sig|key|_state)[\w.-]*=)[^&;\s"'<>]+/gi;
// A digest stands behind an @, too.
const LOGIN = /(^|\/\/|[\s"'])[^\s"'/@]*:[^\s"'@]*@(?!sha(?:256|512):)/g;

/** A text that others wrote, without what looks like a login, a token or the signature of an address. */
export function withoutSecrets(text: string): string {
  return text.replace(AUTHORIZATION, '$1 ***').replace(SIGNATURE, '$1***').replace(LOGIN, '$1***@');
}
