import { useMemo, useState } from "react"
import type { ListedItem } from "../../contract/app.ts"
import { size } from "../lib/bytes.ts"
import { useActions, useSlice } from "../store/context.ts"

/** The library: newest first, forks under what they were forked from. */
export function Sidebar() {
  const actions = useActions()
  const items = useSlice((s) => s.items)
  const shown = useSlice((s) => s.shown)
  const search = useSlice((s) => s.search)
  const folder = useSlice((s) => s.folder)
  const rows = useMemo(() => tree([...items.values()], search), [items, search])
  return (
    <nav className="sidebar" aria-label="Library">
      <div className="brand">
        <img src="/icon.svg" alt="" width="26" height="26" />
        <span>Megabyte Studio</span>
      </div>
      <button type="button" className="primary wide" onClick={() => actions.newDraft()}>
        New
      </button>
      <input
        type="search"
        placeholder="Search the library"
        aria-label="Search the library"
        value={search}
        onChange={(e) => actions.setSearch(e.target.value)}
      />
      <ul className="items">
        {rows.map(({ item, depth }) => (
          <Row key={item.id} item={item} depth={depth} current={shown.includes(item.id)} />
        ))}
      </ul>
      {rows.length === 0 && (
        <p className="empty">{search ? "Nothing found." : "What you make is kept here, as ordinary files."}</p>
      )}
      <button type="button" className="wide" onClick={() => actions.manage(true)}>
        Models and preferences
      </button>
      <p className="note folder" title={folder}>
        Kept in {folder}
      </p>
    </nav>
  )
}

function Row({ item, depth, current }: { item: ListedItem; depth: number; current: boolean }) {
  const actions = useActions()
  const [renaming, setRenaming] = useState(false)
  if (renaming)
    return (
      <li>
        <input
          // biome-ignore lint/a11y/noAutofocus: the person has just asked to type here
          autoFocus
          aria-label="New name"
          defaultValue={item.title}
          onBlur={(e) => {
            actions.rename(item.id, e.target.value)
            setRenaming(false)
          }}
          onKeyDown={(e) => {
            if (e.key === "Enter") e.currentTarget.blur()
            else if (e.key === "Escape") setRenaming(false)
          }}
        />
      </li>
    )
  const made = item.bytes - item.given
  return (
    <li className={current ? "current" : ""} style={{ paddingLeft: Math.min(depth, 5) * 14 }}>
      <button
        type="button"
        className="row"
        aria-current={current}
        onClick={() => actions.show(item.id)}
        onDoubleClick={() => setRenaming(true)}
        title={item.title}
      >
        {item.thumbnail && <img className="thumbnail" src={item.thumbnail} alt="" width="32" height="32" />}
        <span className="row-title">
          {depth > 0 && <span aria-hidden="true">↳ </span>}
          {item.title}
        </span>
        <span className="row-note">
          {item.status === "running"
            ? "writing…"
            : `${size(made)} · ${item.bitsPerByte.toFixed(2)} bits/byte${item.status === "interrupted" ? " · interrupted" : ""}`}
        </span>
      </button>
      <span className="row-tools">
        <button
          type="button"
          aria-label={`Favourite ${item.title}`}
          aria-pressed={item.favourite}
          onClick={() => actions.favourite(item.id, !item.favourite)}
        >
          {item.favourite ? "★" : "☆"}
        </button>
        <button type="button" aria-label={`Rename ${item.title}`} onClick={() => setRenaming(true)}>
          ✎
        </button>
        <button
          type="button"
          aria-label={`Delete ${item.title}`}
          disabled={item.status === "running"}
          onClick={() => actions.remove(item.id)}
        >
          ✕
        </button>
      </span>
    </li>
  )
}

/** Items in the order of the list: favourites, then newest; forks right after their parent. */
export function tree(items: ListedItem[], search: string): { item: ListedItem; depth: number }[] {
  const wanted = search.trim().toLowerCase()
  if (wanted) return items.filter((i) => i.title.toLowerCase().includes(wanted)).map((item) => ({ item, depth: 0 }))
  const known = new Set(items.map((i) => i.id))
  const children = new Map<string, ListedItem[]>()
  for (const item of items) {
    const under = item.parent && known.has(item.parent.id) ? item.parent.id : ""
    children.set(under, [...(children.get(under) ?? []), item])
  }
  const order = (a: ListedItem, b: ListedItem) =>
    Number(b.favourite) - Number(a.favourite) || b.created - a.created || a.variation - b.variation
  const rows: { item: ListedItem; depth: number }[] = []
  const visit = (id: string, depth: number) => {
    for (const item of (children.get(id) ?? []).sort(order)) {
      rows.push({ item, depth })
      visit(item.id, depth + 1)
    }
  }
  visit("", 0)
  return rows
}
