BEGIN;
DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'web') THEN CREATE ROLE "web" LOGIN; END IF; END $$;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM "web";
GRANT SELECT, INSERT ON "orders" TO "web";
COMMIT;

-- pg_hba.conf
hostssl all "web" all cert map=signet
host all "web" all reject

-- pg_ident.conf
signet "web.shop" "web"
