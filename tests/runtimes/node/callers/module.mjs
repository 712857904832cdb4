import { dial } from 'dialer';

export const peek = () => dial(7004);
