/* eslint-disable */
export type Config = any; export type IdMapping = any; export type Mount = any; export type Device = any; export type Resources = any; export type Hook = any;
