import { makeSet, type Recipe, type Scale, SETS, type SetName } from './corpus.ts';

/** What tools are asked to copy in one go. */
export interface Job {
  readonly name: string;
  readonly recipes: readonly Recipe[];
  /** all recipes are this repository's, and all of its tags are wanted */
  readonly repository?: string;
}

/**
 * Makes the jobs of a flag: sets joined by `+` are one job, commas part the jobs.
 *
 * @throws {Error} there is no such set
 */
export function jobsOf(text: string, scale: Scale): readonly Job[] {
  return text.split(',').map((name): Job => {
    const recipes = name.split('+').flatMap((set) => makeSet(setName(set), scale));
    return jobOf(name, recipes);
  });
}

/** A job of these images; of a whole repository where they are several tags of one. */
export function jobOf(name: string, recipes: readonly Recipe[]): Job {
  const [repository, ...others] = new Set(recipes.map((recipe) => recipe.repository));
  const isWhole = repository !== undefined && others.length === 0 && recipes.length > 1;
  return { name, recipes, ...(isWhole ? { repository } : {}) };
}

function setName(text: string): SetName {
  const found = SETS.find((name) => name === text);
  if (!found) throw new Error(`there is no set ${text}: choose of ${SETS.join(', ')}`);
  return found;
}
