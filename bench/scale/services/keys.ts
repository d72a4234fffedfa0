import { callsOf, totalsOf } from '../demand/of-request.ts';
import { LIMITS_OF_SERVICES } from '../limits/services.ts';
import type { Profile } from '../profiles/profile.ts';
import type { ServiceModel } from './service-model.ts';

/** Unwraps a second. The vault weighs kinds against each other on one sum: a signature with P-256 weighs as much as 2,048 bits of RSA. */
export const keyRate = ({ wrappingKeyBits }: Profile): number =>
  (wrappingKeyBits === 3072 ? LIMITS_OF_SERVICES.keyOperations3072.value : LIMITS_OF_SERVICES.keyOperations2048.value) /
  LIMITS_OF_SERVICES.keyWindow.value;

/** What a signature weighs, in unwraps. */
export const signatureWeight = ({ wrappingKeyBits }: Profile): number =>
  wrappingKeyBits === 3072
    ? LIMITS_OF_SERVICES.keyOperations3072.value / LIMITS_OF_SERVICES.keyOperations2048.value
    : 1;

export const keyVault: ServiceModel = {
  name: 'key vault: operations',
  unit: 'unwraps/s',
  capacity: keyRate,
  demand(load, profile) {
    const { unwraps, signatures } = totalsOf(callsOf(load.line, profile.leaseSeconds));
    return unwraps + signatures * signatureWeight(profile);
  },
  raises: [
    {
      what: 'keySize of the wrapping key (infra/modules/keyvault.bicep)',
      where: 'template',
      size: ({ wrappingKeyBits }) => String(wrappingKeyBits),
      next: (profile) => (profile.wrappingKeyBits === 3072 ? { ...profile, wrappingKeyBits: 2048 } : undefined),
    },
  ],
};
