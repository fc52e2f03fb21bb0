import { useSyncExternalStore } from "react"

let count = 0
const listeners = new Set<() => void>()
const changed = () => {
  count++
  for (const listener of listeners) listener()
}
let watching = false

/** Calls back when the colors of the page change: by the system, or by the person's choice. */
function subscribe(listener: () => void): () => void {
  if (!watching) {
    watching = true
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed)
    new MutationObserver(changed).observe(document.documentElement, { attributeFilter: ["data-theme"] })
  }
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

/** A number that grows when the page's colors change: what is drawn on a canvas must then be drawn again. */
export const useThemeCount = () => useSyncExternalStore(subscribe, () => count)
