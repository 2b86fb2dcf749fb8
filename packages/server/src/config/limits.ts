/** Reads `limits` of the config file: how much tenants and the server may do. */
import { type LimitsConfig, NO_LIMITS, TENANT_LIMITS, type TenantLimits } from "../limits/limits-config.ts";
import { Section } from "./sections.ts";

const SERVER_LIMITS = ["runningTurns", "waitingTurns"] as const;

/** @throws ConfigError naming the setting, what was expected and what came. */
export function readLimits(value: unknown): LimitsConfig {
  if (value === undefined) return NO_LIMITS;
  const section = new Section("limits", value, ["default", "tenants", "server"]);
  const tenants = section.raw("tenants");
  const named = tenants === undefined ? {} : new Section("limits.tenants", tenants).entries();
  return {
    default: readTenant("limits.default", section.raw("default")),
    tenants: Object.fromEntries(
      Object.entries(named).map(([tenant, own]) => [tenant, readTenant(`limits.tenants.${tenant}`, own)]),
    ),
    server: readNumbers("limits.server", section.raw("server"), SERVER_LIMITS),
  };
}

function readTenant(where: string, value: unknown): TenantLimits {
  return readNumbers(where, value, TENANT_LIMITS);
}

function readNumbers<K extends string>(
  where: string,
  value: unknown,
  names: readonly K[],
): { readonly [name in K]?: number } {
  if (value === undefined) return {};
  const section = new Section(where, value, names);
  const limits: { [name in K]?: number } = {};
  for (const name of names) {
    const limit = section.number(name, 1);
    if (limit !== undefined) limits[name] = limit;
  }
  return limits;
}
