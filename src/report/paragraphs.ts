import type { Finding } from "../core/finding.ts";
import { groupedBy } from "../lib/grouped.ts";

/** Findings for a person, the worst first. Those of one paragraph are merged into one, with all of their ids. */
export function inParagraphs(worstFirst: readonly Finding[]): Finding[] {
  const groups = groupedBy(worstFirst, (found) => {
    const { paragraph, environment } = found;
    return paragraph === undefined ? found : JSON.stringify([paragraph.title, environment]);
  });
  return [...groups.values()].flatMap(([first, ...others]) => {
    if (first?.paragraph === undefined || others.length === 0) return first ?? [];
    const all = [first, ...others];
    const items = all.flatMap(({ paragraph }) => paragraph?.item ?? []);
    const message = `${first.paragraph.title}: ${items.join("; ")}.`;
    const ids = [...new Set(all.map(({ id }) => id))].join(", ");
    const { fix } = first.paragraph;
    return { ...first, id: ids, message, ...(fix === undefined ? {} : { fix }) };
  });
}
