/** Run by a driver's probe: which Node and npm a program inside gets. */
export const versionScript =
  'printf "node %s\\n" "$(node --version)"; if command -v npm >/dev/null; then printf "npm %s\\n" "$(npm --version)"; fi; uname -sr';

/** Reads what {@link versionScript} printed. */
export function parseVersions(text: string): Record<string, string> {
  const versions: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const [tool, version] = line.split(' ');
    if (tool !== undefined && version !== undefined && version !== '')
      versions[tool.toLowerCase()] = version.replace(/^v/, '');
  }
  return versions;
}
