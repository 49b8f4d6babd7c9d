/** Something that a test needs and that a machine may lack. */
export interface Requirement {
  readonly name: string;
  readonly found: boolean;
  /** what to do to get it, as an imperative: "install Debian's pass package (apt-get install pass)" */
  readonly remedy: string;
}

const said = new Set<string>();

/**
 * What to give to node:test as `skip`: false where all is there, else the reason. Each reason is printed
 * once for each test process.
 *
 * @throws {Error} something is missing although REQUIRE_ALL=1 says that nothing may be skipped
 */
export function skipUnless(...requirements: readonly Requirement[]): string | false {
  const missing = requirements.find((requirement) => !requirement.found);
  if (!missing) return false;
  const reason = `${missing.name} is not here: ${missing.remedy}`;
  if (process.env['REQUIRE_ALL'] === '1') throw new Error(reason);
  if (!said.has(reason)) process.stderr.write(`skipped: ${reason}\n`);
  said.add(reason);
  return reason;
}
