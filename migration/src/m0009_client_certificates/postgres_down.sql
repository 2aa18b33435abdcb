alter table rowhook.receivers drop column client_key, drop column client_certificate;
