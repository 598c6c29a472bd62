/**
 * When what runs at night, in UTC. AWS Backup does not start a copy of an RDS database in the hour before its
 * maintenance or its own backup, nor in the time of either: so one after the other, two hours apart.
 */
export const databaseBackupWindow = '01:00-01:30';
export const backupHour = '3';
export const databaseMaintenanceWindow = 'Sun:06:00-Sun:06:30';
