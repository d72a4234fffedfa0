/**
 * The one entry point of every deployed package: FACTORY_ROLE picks what is registered. A missing or unknown role is fatal,
 * so that nothing is ever served under a wrong identity.
 */
const ROLES = ['control', 'station', 'verifier', 'effector'] as const;
const role = process.env['FACTORY_ROLE'] ?? '';

if (role === 'all') {
  if (process.env['FACTORY_ALLOW_ALL'] !== '1')
    throw new Error(
      'FACTORY_ROLE=all serves every trust zone from one process and is for tests only: set FACTORY_ALLOW_ALL=1 to say so.',
    );
  await import('./control/index.ts');
  await import('./station/index.ts');
  await import('./verifier/index.ts');
  await import('./effector/index.ts');
} else if (role === 'control') await import('./control/index.ts');
else if (role === 'station') await import('./station/index.ts');
else if (role === 'verifier') await import('./verifier/index.ts');
else if (role === 'effector') await import('./effector/index.ts');
else throw new Error(`FACTORY_ROLE is ${role === '' ? 'missing' : `"${role}"`}: set it to one of ${ROLES.join(', ')}.`);
