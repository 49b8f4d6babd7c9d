import { findProgram, run } from '../support/process.ts';
import { TOOLS, type Tool } from './tools.ts';

/** A tool that this machine has. */
export interface FoundTool {
  readonly tool: Tool;
  readonly version: string;
}

/**
 * Looks which tools are on the PATH, and asks them for their versions.
 *
 * @param wanted - ids, or programs for all their ways; undefined: all
 * @throws {Error} a wanted tool is not known or not here
 */
export async function findTools(
  wanted: readonly string[] | undefined,
): Promise<readonly FoundTool[]> {
  const isNamed = ({ id, program }: Tool, name: string) => id === name || program === name;
  const missing = wanted?.find((name) => !TOOLS.some((tool) => isNamed(tool, name)));
  if (missing !== undefined)
    throw new Error(
      `no tool is called ${missing}: choose of ${TOOLS.map(({ id }) => id).join(', ')}`,
    );
  const chosen = TOOLS.filter((tool) => !wanted || wanted.some((name) => isNamed(tool, name)));
  const found: FoundTool[] = [];
  for (const tool of chosen) {
    const isHere = tool.program.startsWith('/') || findProgram(tool.program) !== undefined;
    if (isHere) found.push({ tool, version: await versionOf(tool) });
    else if (wanted) throw new Error(`${tool.program} is not on the PATH`);
  }
  return found;
}

async function versionOf({ program, version }: Tool): Promise<string> {
  const { stdout, stderr } = await run(program, version);
  const match = /v?\d+\.\d+\.\d+\S*/.exec(stdout + stderr);
  return match?.[0] ?? 'unknown';
}
