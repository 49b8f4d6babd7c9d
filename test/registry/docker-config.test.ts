import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { containersAuth, containersAuthPaths } from '../../src/registry/containers-auth.ts';
import { type Credential, firstOf } from '../../src/registry/credentials.ts';
import { type AskHelper, dockerConfig } from '../../src/registry/docker-config.ts';
import { CredentialError } from '../../src/registry/errors.ts';
import { failureOf } from './opening.ts';

const APP = { registry: 'r.example', repository: 'team/app' };
const HUB = { registry: 'docker.io', repository: 'library/nginx' };
const NOBODY: AskHelper = async () => undefined;

const auth = (username: string, password: string) => ({
  auth: Buffer.from(`${username}:${password}`).toString('base64'),
});
const password = (username: string, secret: string): Credential => ({
  kind: 'password',
  username,
  password: secret,
});

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'docker-config-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Writes a file below the folder of the test. */
async function put(path: string, value: unknown): Promise<string> {
  const full = join(folder, path);
  await mkdir(join(full, '..'), { recursive: true });
  await writeFile(full, typeof value === 'string' ? value : JSON.stringify(value));
  return full;
}

describe("docker's config.json", () => {
  const source = (ask = NOBODY) => dockerConfig({ DOCKER_CONFIG: folder }, ask);
  const find = async (config: unknown, name = APP, ask = NOBODY) => {
    await put('config.json', config);
    return source(ask)(name);
  };

  test('may be missing or empty', async () => {
    const missing = await source()(APP);
    const empty = await find(' \n');

    assert.deepEqual([missing, empty], [undefined, undefined]);
  });

  test('stands in ~/.docker where DOCKER_CONFIG is not set, or empty', async () => {
    await put('.docker/config.json', { auths: { 'r.example': auth('a', 'b') } });

    for (const environment of [{ HOME: folder }, { HOME: folder, DOCKER_CONFIG: '' }]) {
      const login = await dockerConfig(environment, NOBODY)(APP);

      assert.deepEqual(login?.credential, password('a', 'b'));
    }
  });

  test('holds logins, and says where one was found', async () => {
    const login = await find({ auths: { 'r.example': auth('alice', 'a:b:c') } });

    assert.deepEqual(login, {
      credential: password('alice', 'a:b:c'),
      origin: join(folder, 'config.json'),
    });
  });

  test('is read once', async () => {
    await put('config.json', { auths: { 'r.example': auth('a', 'b') } });
    const once = source();
    await once(APP);
    await rm(join(folder, 'config.json'));

    const login = await once(APP);

    assert.ok(login);
  });

  const spellings: readonly (readonly [string, typeof APP])[] = [
    ['https://r.example', APP],
    ['https://r.example/', APP],
    ['https://r.example/v1/', APP],
    ['http://r.example/v2/', APP],
    ['https://index.docker.io/v1/', HUB],
    ['index.docker.io', HUB],
    ['docker.io', HUB],
  ];
  for (const [key, name] of spellings)
    test(`means ${name.registry} by ${key}`, async () => {
      const login = await find({ auths: { [key]: auth('a', 'b') } }, name);

      assert.deepEqual(login?.credential, password('a', 'b'));
    });

  test('prefers the exact key to other spellings, wherever it stands', async () => {
    const exact = await find({
      auths: { 'https://r.example/v1/': auth('old', 'x'), 'r.example': auth('new', 'x') },
    });
    const hub = await find(
      { auths: { 'docker.io': auth('old', 'x'), 'https://index.docker.io/v1/': auth('new', 'x') } },
      HUB,
    );

    assert.deepEqual(exact?.credential, password('new', 'x'));
    assert.deepEqual(hub?.credential, password('new', 'x'));
  });

  test('has no login for a part of a registry', async () => {
    const login = await find({ auths: { 'r.example/team': auth('a', 'b'), r: auth('a', 'b') } });

    assert.equal(login, undefined);
  });

  test('takes the NUL characters from the end of a password', async () => {
    const login = await find({ auths: { 'r.example': auth('alice', 'secret\0\0') } });

    assert.deepEqual(login?.credential, password('alice', 'secret'));
  });

  test('holds identity tokens, before what stands in auth', async () => {
    const login = await find({
      auths: { 'r.example': { ...auth('<token>', ''), identitytoken: 'abc' } },
    });

    assert.deepEqual(login?.credential, { kind: 'identity-token', token: 'abc' });
  });

  test('marks an identity token by the user <token>', async () => {
    const login = await find({ auths: { 'r.example': auth('<token>', 'abc') } });

    assert.deepEqual(login?.credential, { kind: 'identity-token', token: 'abc' });
  });

  test('may hold user name and password apart', async () => {
    const login = await find({ auths: { 'r.example': { username: 'a', password: 'b' } } });

    assert.deepEqual(login?.credential, password('a', 'b'));
  });

  test('takes an empty or broken entry for none', async () => {
    for (const entry of [
      {},
      { auth: '' },
      { auth: '%%%' },
      auth('', 'b'),
      { auth: Buffer.from('no colon').toString('base64') },
      { auth: 12 },
      { username: 'a' },
      null,
      'text',
    ]) {
      const login = await find({ auths: { 'r.example': entry } });

      assert.equal(login, undefined, JSON.stringify(entry));
    }
  });

  test('is not looked for in prototypes', async () => {
    const login = await find({ auths: {} }, { registry: 'constructor', repository: 'a' });

    assert.equal(login, undefined);
  });

  test('may be of any shape, as long as it is JSON', async () => {
    for (const config of [[], 'null', '12', { auths: [] }, { auths: 'x' }, { credHelpers: [1] }]) {
      const login = await find(config);

      assert.equal(login, undefined);
    }
  });

  test('that is broken is named, but not quoted', async () => {
    const error = await failureOf(find('{"auths": {"r.example": {"auth": "aHVudGVyMg==" hunter2'));

    assert.ok(error instanceof CredentialError);
    assert.match(error.message, /config\.json is not valid JSON/);
    assert.doesNotMatch(error.message, /hunter2|aHVudGVyMg/);
  });

  test('may begin with a byte order mark', async () => {
    const login = await find(`\uFEFF${JSON.stringify({ auths: { 'r.example': auth('a', 'b') } })}`);

    assert.ok(login);
  });

  describe('asks', () => {
    const asking = (answers: Readonly<Record<string, Credential>>) => {
      const asked: string[] = [];
      const ask: AskHelper = async (helper, server) => {
        asked.push(`${helper} ${server}`);
        return answers[helper];
      };
      return { ask, asked };
    };

    test("a registry's own helper before the store", async () => {
      const { ask, asked } = asking({ own: password('own', 'x') });

      const login = await find(
        { credHelpers: { 'r.example': 'own' }, credsStore: 'all' },
        APP,
        ask,
      );

      assert.deepEqual(login, {
        credential: password('own', 'x'),
        origin: 'docker-credential-own',
      });
      assert.deepEqual(asked, ['own r.example']);
    });

    test('the store for all other registries, for Docker Hub by its old name', async () => {
      const { ask, asked } = asking({ all: password('all', 'x') });
      const config = { credHelpers: { 'other.example': 'own' }, credsStore: 'all' };

      await find(config, APP, ask);
      await find(config, HUB, ask);

      assert.deepEqual(asked, ['all r.example', 'all https://index.docker.io/v1/']);
    });

    test('a helper where docker left an empty entry behind', async () => {
      const { ask } = asking({ all: password('all', 'x') });

      const login = await find({ auths: { 'r.example': {} }, credsStore: 'all' }, APP, ask);

      assert.deepEqual(login?.credential, password('all', 'x'));
    });

    test('nobody where the helper of a registry is the empty text', async () => {
      const { ask, asked } = asking({ all: password('all', 'x') });

      const login = await find(
        {
          credHelpers: { 'r.example': '' },
          credsStore: 'all',
          auths: { 'r.example': auth('a', 'b') },
        },
        APP,
        ask,
      );

      assert.deepEqual(asked, []);
      assert.deepEqual(login?.credential, password('a', 'b'));
    });

    test('auths where the helper has nothing', async () => {
      const { ask } = asking({});

      const login = await find(
        { credsStore: 'all', auths: { 'r.example': auth('a', 'b') } },
        APP,
        ask,
      );

      assert.deepEqual(login?.credential, password('a', 'b'));
    });

    test('and passes on that a helper is broken', async () => {
      const broken = async () => {
        throw new CredentialError('broken');
      };

      const error = await failureOf(find({ credsStore: 'all' }, APP, broken));

      assert.equal(error.message, 'broken');
    });
  });
});

describe("the containers tools' auth.json", () => {
  const who = async (environment: Readonly<Record<string, string>>, name = APP, ask = NOBODY) => {
    const login = await containersAuth(environment, ask)(name);
    return login?.credential?.kind === 'password' ? login.credential.username : undefined;
  };

  test('in the runtime folder comes before the one in the configuration', async () => {
    await put('run/containers/auth.json', { auths: { 'r.example': auth('runtime', 'x') } });
    await put('home/.config/containers/auth.json', {
      auths: { 'r.example': auth('home', 'x'), 'docker.io': auth('hub', 'x') },
    });
    const environment = { XDG_RUNTIME_DIR: join(folder, 'run'), HOME: join(folder, 'home') };

    assert.equal(await who(environment), 'runtime');
    assert.equal(await who(environment, HUB), 'hub');
  });

  test('of $REGISTRY_AUTH_FILE is the only one', async () => {
    const named = await put('named.json', { auths: { 'docker.io': auth('named', 'x') } });
    await put('run/containers/auth.json', { auths: { 'r.example': auth('runtime', 'x') } });
    const environment = { XDG_RUNTIME_DIR: join(folder, 'run'), REGISTRY_AUTH_FILE: named };

    assert.equal(await who(environment, HUB), 'named');
    assert.equal(await who(environment), undefined);
  });

  test('stands where the tools look for it', () => {
    const user = process.getuid?.() ?? 0;

    assert.deepEqual(containersAuthPaths({ HOME: '/home/a' }), [
      `/run/containers/${user}/auth.json`,
      '/home/a/.config/containers/auth.json',
    ]);
    assert.deepEqual(
      containersAuthPaths({ HOME: '/home/a', XDG_RUNTIME_DIR: '', XDG_CONFIG_HOME: '' }),
      [`/run/containers/${user}/auth.json`, '/home/a/.config/containers/auth.json'],
    );
    assert.deepEqual(
      containersAuthPaths({ XDG_RUNTIME_DIR: '/run/user/7', XDG_CONFIG_HOME: '/settings' }),
      ['/run/user/7/containers/auth.json', '/settings/containers/auth.json'],
    );
  });

  test('may have keys longer than a registry, of which the longest wins', async () => {
    const named = await put('named.json', {
      auths: {
        'r.example': auth('host', 'x'),
        'r.example/team': auth('team', 'x'),
        'r.example/team/app/deep': auth('deep', 'x'),
        'r.example/team/empty': {},
      },
    });
    const environment = { REGISTRY_AUTH_FILE: named };
    const at = (repository: string) => who(environment, { registry: 'r.example', repository });

    assert.equal(await at('team/app'), 'team');
    assert.equal(await at('team/app/deep'), 'deep');
    assert.equal(await at('teams/app'), 'host');
    assert.equal(await at('team/empty'), 'team');
  });

  test('asks helpers of a registry, but no store', async () => {
    const named = await put('named.json', {
      credHelpers: { 'r.example': 'own' },
      credsStore: 'all',
    });
    const asked: string[] = [];
    const ask: AskHelper = async (helper) => {
      asked.push(helper);
      return undefined;
    };

    await who({ REGISTRY_AUTH_FILE: named }, APP, ask);
    await who({ REGISTRY_AUTH_FILE: named }, HUB, ask);

    assert.deepEqual(asked, ['own']);
  });

  test('that is broken is named, but not quoted', async () => {
    const named = await put('named.json', '{"hunter2');

    const error = await failureOf(who({ REGISTRY_AUTH_FILE: named }));

    assert.ok(error instanceof CredentialError);
    assert.match(error.message, /named\.json is not valid JSON/);
    assert.doesNotMatch(error.message, /hunter2/);
  });

  test('that cannot be read is an error', async () => {
    // Not by its mode: a superuser may read everything.
    const below = join(await put('named.json', {}), 'auth.json');

    const error = await failureOf(who({ REGISTRY_AUTH_FILE: below }));

    assert.match(error.message, /a part of the path is not a folder/);
  });
});

describe('sources of credentials', () => {
  test('are asked in turn, until one has a login', async () => {
    const asked: string[] = [];
    const source = (name: string, has: boolean) => async () => {
      asked.push(name);
      return has ? { origin: name } : undefined;
    };

    const login = await firstOf(source('a', false), source('b', true), source('c', true))(APP);

    assert.deepEqual(login, { origin: 'b' });
    assert.deepEqual(asked, ['a', 'b']);
  });

  test('end in an anonymous login', async () => {
    const login = await firstOf()(APP);

    assert.deepEqual(login, { origin: 'anonymous' });
  });

  test('that are broken are not passed over', async () => {
    const broken = () => Promise.reject(new CredentialError('broken'));

    const error = await failureOf(firstOf(broken, async () => ({ origin: 'b' }))(APP));

    assert.equal(error.message, 'broken');
  });
});
