export const RISK_TIERS = ['low', 'medium', 'high', 'critical'] as const;
export type RiskTier = (typeof RISK_TIERS)[number];

export type RiskReason = { readonly signal: string; readonly tier: RiskTier; readonly because: string };
export type Risk = { readonly tier: RiskTier; readonly reasons: readonly RiskReason[] };

/** The higher of two tiers. */
export function higher(a: RiskTier, b: RiskTier): RiskTier {
  return RISK_TIERS.indexOf(a) >= RISK_TIERS.indexOf(b) ? a : b;
}
