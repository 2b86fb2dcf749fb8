/** Citations of an answer, from Anthropic's shape into the one that every provider's have here. */
import type { CitationReference, CitationSource, ModelCitations } from "../model-provider.ts";
import type { MessagesCitation } from "./wire.ts";

/** A text block of the answer, in order; what stands between blocks has no text. */
export interface CitedText {
  /** UTF-16 code units. */
  readonly characters: number;
  readonly citations: readonly MessagesCitation[];
}

/** Undefined when nothing was cited. Documents cited several times are one source. */
export function toCitations(texts: readonly CitedText[]): ModelCitations | undefined {
  const sources = new Map<string, CitationSource>();
  const spans: { startIndex: number; endIndex: number; references: CitationReference[] }[] = [];
  let at = 0;
  for (const { characters, citations } of texts) {
    if (citations.length > 0 && characters > 0) {
      const references = citations.map((citation) => toReference(citation, sources));
      spans.push({ startIndex: at, endIndex: at + characters, references });
    }
    at += characters;
  }
  return spans.length === 0 ? undefined : { sources: [...sources.values()], spans };
}

function toReference(citation: MessagesCitation, sources: Map<string, CitationSource>): CitationReference {
  const key = JSON.stringify([
    citation.url ?? citation.source,
    citation.document_index,
    citation.search_result_index,
  ]);
  const title = citation.document_title ?? citation.title ?? undefined;
  const from = citation.url ?? citation.source;
  const url = from !== undefined && URL.canParse(from) ? from : undefined;
  const known: CitationSource = sources.get(key) ?? {
    id: `s${sources.size}`,
    provider: "anthropic",
    ...(title !== undefined ? { title } : {}),
    ...(url !== undefined ? { url } : {}),
  };
  sources.set(key, known);
  const location = toLocation(citation);
  const metadata = {
    ...(citation.document_index !== undefined ? { documentIndex: citation.document_index } : {}),
    ...(citation.search_result_index !== undefined
      ? { searchResultIndex: citation.search_result_index }
      : {}),
  };
  return {
    sourceId: known.id,
    ...(typeof citation.cited_text === "string" ? { citedText: citation.cited_text } : {}),
    ...(location !== undefined ? { location } : {}),
    ...(Object.keys(metadata).length > 0 ? { providerMetadata: metadata } : {}),
  };
}

function toLocation(citation: MessagesCitation): CitationReference["location"] {
  const { start_char_index, end_char_index, start_page_number, end_page_number } = citation;
  const { start_block_index, end_block_index } = citation;
  if (start_char_index !== undefined && end_char_index !== undefined)
    return { type: "char", startIndex: start_char_index, endIndex: end_char_index };
  // Anthropic's end is the page behind the last one.
  if (start_page_number !== undefined && end_page_number !== undefined)
    return {
      type: "page",
      startPage: start_page_number,
      endPage: Math.max(start_page_number, end_page_number - 1),
    };
  if (start_block_index !== undefined && end_block_index !== undefined)
    return { type: "block", startBlock: start_block_index, endBlock: end_block_index };
  return undefined;
}
