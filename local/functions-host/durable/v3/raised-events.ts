import type { HistoryEvent } from '../history.ts';
import { EventType } from '../history.ts';
import type { NumberedAction } from './actions.ts';
import { ActionType } from './actions.ts';

/**
 * The raised events of an execution that its orchestrator has not read: of each name, those beyond the number of waits
 * for it. They go with it when it continues as new.
 */
export function unreadEvents(events: readonly HistoryEvent[], actions: readonly NumberedAction[]): HistoryEvent[] {
  const waits = new Map<string, number>();
  const seen = new Set<number>();
  const count = (action: NumberedAction): void => {
    action.compoundActions?.forEach(count);
    if (action.actionType !== ActionType.WaitForExternalEvent || seen.has(action.ref)) return;
    seen.add(action.ref);
    const name = action.externalEventName ?? '';
    waits.set(name, (waits.get(name) ?? 0) + 1);
  };
  actions.forEach(count);
  return events.filter((event) => {
    if (event.EventType !== EventType.EventRaised) return false;
    const open = waits.get(event.Name) ?? 0;
    waits.set(event.Name, open - 1);
    return open <= 0;
  });
}
