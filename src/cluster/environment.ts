/** The variables that a process sees; `process.env` fits. */
export type Environment = Readonly<Record<string, string | undefined>>;
