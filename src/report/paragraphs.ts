import type { Finding } from "../core/finding.ts";

/** Findings for a person, the worst first. Those of one paragraph are merged into one, with all of their ids. */
export function inParagraphs(worstFirst: readonly Finding[]): Finding[] {
  const groups = new Map<unknown, Finding[]>();
  for (const found of worstFirst) {
    const { paragraph, environment } = found;
    const key = paragraph === undefined ? found : JSON.stringify([paragraph.title, environment]);
    groups.set(key, [...(groups.get(key) ?? []), found]);
  }
  return [...groups.values()].flatMap(([first, ...others]) => {
    if (first?.paragraph === undefined || others.length === 0) return first ?? [];
    const all = [first, ...others];
    const items = all.flatMap(({ paragraph }) => paragraph?.item ?? []);
    const message = `${first.paragraph.title}: ${items.join("; ")}.`;
    return { ...first, id: all.map(({ id }) => id).join(", "), message };
  });
}
