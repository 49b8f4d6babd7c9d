#!/usr/bin/env node
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { execute } from '@oclif/core';

// The same door as run.js, from the sources: node itself takes the types off.
const root = fileURLToPath(new URL('..', import.meta.url));
const pjson = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'));
pjson.oclif.commands.target = './src/commands/index.ts';
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
// Not oclif's development mode: it prints stacks where users get one line.
void execute({ loadOptions: { root, pjson } });
