import { type RefObject, useEffect, useState } from "react"

/** Width and height of an element's content in CSS pixels, 0 until it is laid out. */
export function useSize(element: RefObject<Element | null>): { width: number; height: number } {
  const [size, setSize] = useState({ width: 0, height: 0 })
  useEffect(() => {
    const el = element.current
    if (!el) return
    const observer = new ResizeObserver(([entry]) => entry && setSize(entry.contentRect))
    observer.observe(el)
    return () => observer.disconnect()
  }, [element])
  return size
}
