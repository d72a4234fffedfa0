import path from 'node:path';
import { git } from './git-directory.ts';

/** The name that a repository gets when nobody gives one: of its folder, as the schema wants it. */
export function defaultName(location: string): string {
  const folder = path.basename(location) === '.git' ? path.dirname(location) : location;
  const name = path
    .basename(folder)
    .replace(/\.git$/, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 100);
  return name === '' ? 'application' : name;
}

/** Whether anything about a repository bears a name: a folder on the way to it, or a remote. */
export function isCalled(location: string, given: string, name: string): boolean {
  const folders = [location, path.resolve(given)].flatMap((each) => each.split(path.sep));
  const remotes = (git(location, ['config', '--get-regexp', '^remote\\..*\\.url$']) ?? '').split('\n');
  const places = remotes.flatMap((line) => line.split(/[/:\s]+/).slice(-2));
  return [...folders, ...places].some((each) => sameName(each, name));
}

const sameName = (a: string, b: string): boolean => plain(a) === plain(b);
const plain = (name: string): string =>
  name
    .replace(/\.git$/, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9.]+/g, '-');
