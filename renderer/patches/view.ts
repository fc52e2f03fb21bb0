/** The part of a strip that is in sight, in patches; `follow` keeps its end at the strip's end while it grows. */
export type Span = { from: number; to: number }

/** The fewest patches in sight. */
const FEWEST = 4

/** A span within 0..patches, of at least some patches. */
export function within({ from, to }: Span, patches: number): Span {
  const width = Math.min(patches, Math.max(FEWEST, to - from))
  const begin = Math.max(0, Math.min(patches - width, from))
  return { from: begin, to: begin + width }
}

/** A span `by` times as wide, with the patch at `around` staying where it is. */
export function zoomed(span: Span, by: number, around: number, patches: number): Span {
  const width = Math.min(patches, Math.max(FEWEST, (span.to - span.from) * by))
  const share = (around - span.from) / Math.max(1e-9, span.to - span.from)
  return within({ from: around - share * width, to: around + (1 - share) * width }, patches)
}

/** The span moved so that a patch is in sight. */
export function showing(span: Span, patch: number, patches: number): Span {
  const width = span.to - span.from
  if (patch < span.from) return within({ from: patch, to: patch + width }, patches)
  if (patch + 1 > span.to) return within({ from: patch + 1 - width, to: patch + 1 }, patches)
  return span
}
