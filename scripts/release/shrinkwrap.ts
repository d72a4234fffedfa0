/** npm's name for a lockfile inside a package: whoever installs that package from a registry gets what it says, to the last transitive one. */
export const SHRINKWRAP = 'npm-shrinkwrap.json';
