import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

/** The page of what was measured beside others. */
export const PERFORMANCE = fileURLToPath(new URL("../docs/performance.md", import.meta.url))

/** Replaces what stands in a page between `<!-- name -->` and `<!-- /name -->`. */
export function fill(page: string, name: string, text: string): void {
  const between = new RegExp(`(<!-- ${name} -->)[^]*(<!-- /${name} -->)`)
  const before = readFileSync(page, "utf8")
  if (!between.test(before)) throw new Error(`${page} has no place for ${name}`)
  writeFileSync(
    page,
    before.replace(between, (_, open, close) => `${open}\n${text.trim()}\n${close}`),
  )
}

/** A table of Markdown. */
export const table = (head: string[], rows: string[][]) =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n")
