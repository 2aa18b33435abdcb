alter table rowhook_receivers drop column client_key;
alter table rowhook_receivers drop column client_certificate;
