import { app } from '@azure/functions';

app.get('keyed', { authLevel: 'function', route: 'keyed', handler: async () => ({ body: 'open' }) });
