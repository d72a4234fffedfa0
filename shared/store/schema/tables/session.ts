import { id, text, time } from '../column.ts';
import { table } from '../table.ts';

export const sessions = table(
  'sessions',
  { id: id('session'), tenant_id: id('tenant'), principal_id: id('principal'), title: text(200), created_at: time() },
  {
    indexes: [
      { name: 'ix_sessions_principal', columns: ['tenant_id', 'principal_id', 'id'], serves: ['sessions.list'] },
    ],
  },
);
