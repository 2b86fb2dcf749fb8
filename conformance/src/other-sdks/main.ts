import { languages } from "./languages.ts";
import { tryLanguage, type Verdict } from "./try-language.ts";
import { tryLiteLlm } from "./try-litellm.ts";
import { tryLlamaCpp } from "./try-llama-cpp.ts";

/** Not SDKs: real model servers, in the place of a language. */
const MODEL_SERVERS = { litellm: tryLiteLlm, "llama-cpp": tryLlamaCpp };

/**
 * Tries the SDKs named (all of them by default), whose programs are in folders of `folder`, one after the other, and prints a table.
 * @returns the exit code: 0 unless one failed. A language that is not installed is no failure.
 */
export async function main(names: readonly string[], folder: string): Promise<number> {
  const known = [...languages.map((language) => language.folder), ...Object.keys(MODEL_SERVERS)];
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    console.error(`expected names of ${known.join(", ")}; got ${unknown.join(", ")}`);
    return 2;
  }
  const chosen = languages.filter((language) => names.length === 0 || names.includes(language.folder));
  const verdicts: Verdict[] = [];
  for (const language of chosen) {
    const verdict = await tryLanguage(language, folder);
    if (verdict.result === "failed") console.error(`\n${language.folder}: ${verdict.reason}\n`);
    verdicts.push(verdict);
  }
  for (const { language, result, reason, seconds } of verdicts) {
    const note = result === "skipped" ? ` (${reason})` : "";
    console.log(
      `${language.folder.padEnd(8)} ${language.sdk.padEnd(42)} ${`${result}${note}`.padEnd(22)} ${seconds.toFixed(1).padStart(6)} s`,
    );
  }
  const outcomes: string[] = verdicts.map(({ result }) => result);
  for (const [name, tryServer] of Object.entries(MODEL_SERVERS)) {
    if (names.length > 0 && !names.includes(name)) continue;
    const { result, reason } = await tryServer(folder);
    console.log(`${name.padEnd(9)} ${result}${reason && `: ${reason}`}`);
    outcomes.push(result);
  }
  return outcomes.includes("failed") ? 1 : 0;
}
