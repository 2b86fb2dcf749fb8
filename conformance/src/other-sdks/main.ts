import { languages } from "./languages.ts";
import { tryLanguage, type Verdict } from "./try-language.ts";
import { tryLiteLlm } from "./try-litellm.ts";

/** Not an SDK: a real model server, in the place of a language. */
const LITELLM = "litellm";

/**
 * Tries the SDKs named (all of them by default), whose programs are in folders of `folder`, one after the other, and prints a table.
 * @returns the exit code: 0 unless one failed. A language that is not installed is no failure.
 */
export async function main(names: readonly string[], folder: string): Promise<number> {
  const known = [...languages.map((language) => language.folder), LITELLM];
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
  const modelServer = names.length === 0 || names.includes(LITELLM) ? await tryLiteLlm(folder) : undefined;
  if (modelServer)
    console.log(
      `${LITELLM.padEnd(8)} ${modelServer.result}${modelServer.reason && `: ${modelServer.reason}`}`,
    );
  return [...verdicts, modelServer].some((verdict) => verdict?.result === "failed") ? 1 : 0;
}
