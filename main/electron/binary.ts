import { existsSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

/** Electron's binary, where its package has one (`npx install-electron` fetches it). */
export function electronBinary(): string | undefined {
  const electron = fileURLToPath(new URL("../../node_modules/electron/", import.meta.url))
  const name = existsSync(`${electron}path.txt`) ? readFileSync(`${electron}path.txt`, "utf8").trim() : ""
  const binary = `${electron}dist/${name}`
  return name && existsSync(binary) ? binary : undefined
}
