/** Images on their way into the conversation: one that no model can be shown is a line that says so. */
import { checkImage } from "../../models/image-check.ts";
import type { ModelContentPart, ToolImage } from "../../models/model-provider.ts";

/** A tool's images that models can be shown, and what the model reads in place of the others. */
export function takeToolImages(results: unknown): { images: ToolImage[]; notes: string[] } {
  const images: ToolImage[] = [];
  const notes: string[] = [];
  for (const result of Array.isArray(results) ? results : []) {
    if (result?.type !== "image" || typeof result.data !== "string") continue;
    const checked = checkImage(result.data);
    const description = typeof result.description === "string" ? { description: result.description } : {};
    if ("problem" in checked) notes.push(noteOf(checked.problem));
    else images.push({ ...checked, ...description });
  }
  return { images, notes };
}

/** The parts of a user's message, images among them as models can be shown them. */
export function takeParts(parts: readonly ModelContentPart[]): readonly ModelContentPart[] {
  return parts.map((part) => {
    if (part.type !== "image") return part;
    const checked = checkImage(part.base64);
    return "problem" in checked
      ? { type: "text", text: noteOf(checked.problem) }
      : { type: "image", ...checked };
  });
}

function noteOf(problem: string): string {
  return `[An image was left out: ${problem}.]`;
}
