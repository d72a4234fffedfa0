import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { sources } from '../lint/sources.ts';
import { compile, compiledName } from './compile.ts';
import { type Lockfile, lockfileOf } from './lockfile.ts';
import { entryOf, packageOf } from './package-of.ts';

/**
 * Builds one deployable package a role into `dist/<role>/`, one for the image of the containers and one for that of the sandbox's sessions: compiled JavaScript of what that role reaches and nothing else, the
 * files those modules load, host.json, and a package.json with the npm packages they import at their exact versions, with the part of the lockfile that those need.
 * `node scripts/build/main.ts [DIRECTORY]` builds into another directory than `dist/`; whatever is there is removed.
 * A station's package therefore holds no store, no policy and no code-host code.
 */
const root = path.join(import.meta.dirname, '..', '..');
const dist = path.resolve(process.argv[2] ?? path.join(root, 'dist'));
const compiled = path.join(dist, '.compiled');
const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
  version: string;
  dependencies: Record<string, string>;
};
const lock = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8')) as Lockfile;
/** Images, and where their Dockerfile lies. */
const IMAGES: Readonly<Record<string, string>> = {
  container: 'container/Dockerfile',
  session: 'container/session/Dockerfile',
};

rmSync(dist, { recursive: true, force: true });
compile(root, compiled);

const files = sources(root);
for (const role of ['control', 'station', 'verifier', 'effector', ...Object.keys(IMAGES)]) {
  const built = packageOf(role, files);
  const target = path.join(dist, role);
  for (const module of built.modules)
    copy(path.join(compiled, compiledName(module)), path.join(target, compiledName(module)));
  for (const asset of built.assets) copy(path.join(root, asset), path.join(target, asset));
  // The Functions host loads a role; the image's program is started by itself.
  const dockerfile = IMAGES[role];
  if (dockerfile !== undefined) copy(path.join(root, dockerfile), path.join(target, 'Dockerfile'));
  else copy(path.join(root, 'host.json'), path.join(target, 'host.json'));
  // Control installs the default definitions as the plane's baseline.
  if (role === 'control') cpSync(path.join(root, 'definitions'), path.join(target, 'definitions'), { recursive: true });
  writeFileSync(path.join(target, 'main.js'), entry(role));
  const dependencies = Object.fromEntries(built.packages.map((name) => [name, versionOf(name)]));
  const named = { name: `agent-factory-${role}`, version: manifest.version };
  writeJson(path.join(target, 'package.json'), {
    ...named,
    private: true,
    type: 'module',
    main: 'main.js',
    dependencies,
  });
  writeJson(path.join(target, 'package-lock.json'), lockfileOf(lock, { ...named, dependencies }));
  console.log(
    `dist/${role}: ${built.modules.length} modules, ${built.assets.length} other files, ${built.packages.length} packages`,
  );
}
rmSync(compiled, { recursive: true, force: true });

function writeJson(file: string, value: object): void {
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);
}

function copy(from: string, to: string): void {
  mkdirSync(path.dirname(to), { recursive: true });
  cpSync(from, to);
}

function versionOf(name: string): string {
  const version = manifest.dependencies[name];
  if (version === undefined)
    throw new Error(`a deployed module imports ${name}, which package.json does not list under dependencies`);
  return version;
}

/** The package serves one role; started under another it refuses, as `functions/main.ts` does. */
function entry(role: string): string {
  if (IMAGES[role] !== undefined) return `await import('./${compiledName(entryOf(role))}');\n`;
  return `const role = process.env['FACTORY_ROLE'] ?? '';
if (role !== '${role}') throw new Error(\`This package serves the role ${role}, and FACTORY_ROLE is \${role === '' ? 'missing' : \`"\${role}"\`}. Deploy the package of that role, or set FACTORY_ROLE=${role}.\`);
await import('./functions/${role}/index.js');
`;
}
