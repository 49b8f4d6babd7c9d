/** What of an answer says how many pulls are left. */
interface Answered {
  readonly status: number;
  header(name: string): string | undefined;
}

/** How many pulls a registry grants in a window of time, as Docker Hub does. */
export interface Budget {
  readonly limit: number;
  readonly left: number;
  readonly windowMs: number;
}

const FORM = /^\s*(\d{1,9})\s*;\s*w=(\d{1,9})/;

/**
 * What an answer says of the budget, in headers such as `ratelimit-limit: 100;w=21600`; undefined where it says nothing.
 *
 * @see https://docs.docker.com/docker-hub/usage/pulls/
 */
export function budgetOf(response: Answered): Budget | undefined {
  const left = FORM.exec(response.header('ratelimit-remaining') ?? '');
  const limit = FORM.exec(response.header('ratelimit-limit') ?? '');
  if (!left || !limit) return undefined;
  return { limit: Number(limit[1]), left: Number(left[1]), windowMs: Number(limit[2]) * 1000 };
}

/** The budget of a refusal that says that nothing is left of it. */
export function spentBudget(response: Answered): Budget | undefined {
  const budget = response.status === 429 ? budgetOf(response) : undefined;
  return budget?.left === 0 ? budget : undefined;
}
