import type { ListedItem } from "../../contract/app.ts"
import { useActions, useSlice } from "../store/context.ts"
import { branchesFrom, wayTo } from "../store/works.ts"
import { Icon } from "../ui/Icon.tsx"

/** The way to what is shown: at each branch the future that was taken, and where it goes on from here. */
export function Rail({ id }: { id: string }) {
  const actions = useActions()
  const items = useSlice((s) => s.items)
  const way = wayTo(items, id)
  const on = branchesFrom(items, id)
  if (way.length < 2 && !on.length) return null
  return (
    <nav className="rail" aria-label="Versions">
      <ol>
        {way.map(({ item, number, of }, i) => (
          <li key={item.id}>
            {i > 0 && <Icon name="right" />}
            <button
              type="button"
              aria-current={item.id === id ? "step" : undefined}
              onClick={() => actions.show(item.id)}
            >
              {i === 0 ? "Beginning" : `Branch ${i}`}
              {of > 1 && <small>{`${number} of ${of}`}</small>}
            </button>
          </li>
        ))}
        {on.map((item) => (
          <Onward key={item.id} item={item} />
        ))}
      </ol>
    </nav>
  )
}

function Onward({ item }: { item: ListedItem }) {
  const actions = useActions()
  return (
    <li>
      <Icon name="branch" />
      <button type="button" className="onward" onClick={() => actions.show(item.id)}>
        goes on
      </button>
    </li>
  )
}
